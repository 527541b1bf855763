"""What is behind drops comes from other frames; where none shows it, the network's image remains."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from attentive_gan.restoration.video.mixing import mixed_change
from attentive_gan.restoration.video.motion import affine_flow, composed, positions, scene_flow
from attentive_gan.restoration.video.temporal_filter import TemporalFilter

SIZE = (96, 144)
FRAMES = 34


def texture(seed=0, size=(160, 400)):
    noise = np.random.default_rng(seed).integers(
        0, 256, (size[0] // 12, size[1] // 12, 3), np.uint8
    )
    return cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)


def drops():
    """Return the drops' mask (H, W), the same in all frames."""
    mask = np.zeros(SIZE, np.float32)
    for x, y in ((30, 30), (70, 60), (115, 25), (100, 75)):
        cv2.circle(mask, (x, y), 7, 1.0, -1)
    return mask


def clip(speed=4, frames=FRAMES, seed=0, depth=np.uint8, jitter=0, exposure=0.0):
    """Return true frames of a pan, and frames as a network restores them that paints drops grey."""
    scene, mask = texture(seed), drops()[..., None]
    left = speed * np.arange(frames) + jitter * (np.arange(frames) % 3)
    gains = 1 - exposure * (np.arange(frames) % 2)
    true = [g * scene[20 : 20 + SIZE[0], x : x + SIZE[1]] for x, g in zip(left, gains, strict=True)]
    true = [t.astype(np.uint8) for t in true]
    restored = [(t * (1 - mask) + 128 * mask).astype(np.uint8) for t in true]
    if depth == np.uint16:
        true, restored = ([f.astype(np.uint16) * 257 for f in group] for group in (true, restored))
    return true, restored


def run(restored, attention=None, **options):
    attention = drops() if attention is None else attention
    maps = attention if attention.ndim == 3 else [attention] * len(restored)
    made = TemporalFilter(**options)
    frames = [made.push(f, f, map_) for f, map_ in zip(restored, maps, strict=True)]
    return [f for f in frames if f is not None] + list(made.flush())


def error(images, true):
    """Return the mean difference behind drops, in levels of 0 to 255."""
    behind, levels = drops() > 0, np.iinfo(true[0].dtype).max / 255
    differences = [
        np.abs(a.astype(float) - b)[behind].mean() for a, b in zip(images, true, strict=True)
    ]
    return np.mean(differences[6:-6]) / levels


@pytest.mark.parametrize('depth', [np.uint8, np.uint16])
def test_a_moving_scene_is_seen_through_the_drops(depth):
    true, restored = clip(depth=depth)
    found = run(restored)
    assert {(f.dtype, f.shape) for f in found} == {(np.dtype(depth), (*SIZE, 3))}
    assert error(restored, true) > 30
    assert error(found, true) < 8


@pytest.mark.parametrize('look_ahead', [True, False])
def test_the_camera_may_change_its_speed(look_ahead):
    # At full contrast, so much motion of this texture would count as a cut.
    true, restored = ([f // 2 + 64 for f in frames] for frames in clip(jitter=5))
    assert error(run(restored, look_ahead=look_ahead), true) < 7


@pytest.mark.parametrize('depth', [np.uint8, np.uint16])
def test_colours_are_matched_where_the_exposure_changes(depth):
    true, restored = clip(depth=depth, exposure=0.25)
    assert error(run(restored), true) < 10


def test_earlier_frames_alone_show_it_too_and_nothing_waits():
    true, restored = clip()
    made = TemporalFilter(look_ahead=False)
    found = [made.push(f, f, drops()) for f in restored]
    assert all(f is not None for f in found)
    assert not list(made.flush())
    assert error(found, true) < error(restored, true) / 4


def test_nothing_changes_where_nothing_can_be_fetched():
    _, restored = clip(speed=0)
    for found, frame in zip(run(restored), restored, strict=True):
        np.testing.assert_array_equal(found, frame)


def test_dry_frames_are_those_of_the_network():
    true, _ = clip()
    for found, frame in zip(run(true, np.zeros(SIZE, np.float32)), true, strict=True):
        np.testing.assert_array_equal(found, frame)


@pytest.mark.parametrize('look_ahead', [True, False])
def test_a_cut_ends_what_frames_share(look_ahead):
    first, second = clip(frames=15)[1], [255 - f // 2 for f in clip(seed=1, frames=15)[1]]
    dark = [f // 3 for f in first]
    together = run(dark + second, look_ahead=look_ahead)
    alone = run(dark, look_ahead=look_ahead) + run(second, look_ahead=look_ahead)
    assert len(together) == 30
    for found, expected in zip(together, alone, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('look_ahead', [True, False])
def test_another_depth_begins_a_scene(look_ahead):
    first, second = clip(frames=10)[1], clip(frames=10, depth=np.uint16)[1]
    together = run(first + second, look_ahead=look_ahead)
    alone = run(first, look_ahead=look_ahead) + run(second, look_ahead=look_ahead)
    for found, expected in zip(together, alone, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('look_ahead', [True, False])
@pytest.mark.parametrize('direction', [1, -1])
def test_a_scene_that_fades_is_seen_through_the_drops_and_ends_black(look_ahead, direction):
    rates = np.linspace(1, 0, FRAMES)[::direction]
    true, restored = (
        [np.round(rate * f).astype(np.uint8) for rate, f in zip(rates, frames, strict=True)]
        for frames in clip(speed=2)
    )
    found = run(restored, look_ahead=look_ahead)
    assert not found[-1 if direction == 1 else 0].any()
    errors = [
        [np.abs(a.astype(float) - b).mean() for a, b in zip(images, true, strict=True)]
        for images in (found, restored)
    ]
    assert all(now < before + 0.5 for now, before in zip(*errors, strict=True))
    assert np.mean(errors[0]) < 0.6 * np.mean(errors[1])


@pytest.mark.parametrize('look_ahead', [True, False])
def test_a_video_may_be_divided_anywhere(look_ahead):
    _, restored = clip()
    rates = np.random.default_rng(0).uniform(0, 1, (FRAMES, 1, 1)).astype(np.float32)
    maps = drops() * rates  # what the network sees of the drops changes from frame to frame
    whole = run(restored, maps, radius=4, look_ahead=look_ahead)
    history = TemporalFilter(4).history
    for start in (history, 13, 20):
        first = start - history
        part = run(restored[first:], maps[first:], radius=4, look_ahead=look_ahead)[history:]
        for found, expected in zip(part, whole[start:], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('frames', [1, 2, 12, 13])
def test_short_clips_come_back_whole(frames):
    assert len(run(clip(frames=frames)[1])) == frames


def test_the_flow_is_that_of_the_scene_also_behind_drops():
    scene = cv2.cvtColor(texture(), cv2.COLOR_RGB2GRAY)
    glass = cv2.cvtColor(texture(5), cv2.COLOR_RGB2GRAY)[: SIZE[0], : SIZE[1]]
    covered = drops() > 0
    first, second = (
        np.where(covered, glass, scene[y : y + SIZE[0], x : x + SIZE[1]]).astype(np.uint8)
        for y, x in ((20, 40), (17, 45))
    )
    found = np.linalg.norm(scene_flow(first, second, 1 - drops()) - (-5, 3), axis=2)
    with_drops = np.linalg.norm(
        scene_flow(first, second, np.ones(SIZE, np.float32)) - (-5, 3), axis=2
    )
    assert np.median(found) < 0.2
    assert found[covered].mean() < 1.5
    assert with_drops[covered].mean() > 2


def test_the_affine_motion_is_fitted_despite_outliers():
    y, x = np.mgrid[:60, :80].astype(np.float32)
    flow = np.stack((0.02 * x - 0.1 * y + 3, 0.1 * x + 0.02 * y - 2), 2)
    disturbed = flow.copy()
    disturbed[10:25, 10:40] = (9, -9)
    found = affine_flow(disturbed, np.ones((60, 80), bool))
    np.testing.assert_allclose(found, flow, atol=0.05)
    assert affine_flow(flow, np.zeros((60, 80), bool)) is None


def affine(number):
    """Return the affine map of a step, 3x3: a turn, a zoom and a shift that differ from step to step."""
    angle, zoom = 3 * number - 10, 1 + 0.03 * (number - 3)
    matrix = cv2.getRotationMatrix2D((60.0, 40.0), angle, zoom)
    matrix[:, 2] += (3 * number - 9, 6 - 2 * number)
    return np.vstack([matrix, (0, 0, 1)])


def flow_of(matrix):
    grid = positions(*SIZE)
    return (grid @ matrix[:2, :2].T + matrix[:2, 2] - grid).astype(np.float32)


def leads_inside(matrix):
    target = positions(*SIZE) + flow_of(matrix)
    return ((target >= 0) & (target <= (SIZE[1] - 1, SIZE[0] - 1))).all(2)


def test_composed_flows_are_those_of_the_product():
    first, second = affine(0), affine(6)
    expected, valid = flow_of(second @ first), leads_inside(first)
    np.testing.assert_allclose(
        composed(flow_of(first), flow_of(second))[valid], expected[valid], atol=0.01
    )
    for wrong in (flow_of(first @ second), flow_of(first) + flow_of(second)):
        assert np.abs(wrong - expected)[valid].mean() > 0.08


@pytest.mark.parametrize('step', [-1, 1])
def test_the_chain_of_flows_leads_from_the_present_frame_to_the_others(step):
    made = TemporalFilter(radius=6)
    for frame in np.zeros((7, *SIZE, 3), np.uint8):
        made.push(frame, frame, np.zeros(SIZE, np.float32))
    for number, frame in enumerate(made._frames):
        matrix = affine(number)
        frame.forth, frame.back = flow_of(matrix), flow_of(np.linalg.inv(matrix))
        frame.trust = np.ones(SIZE, np.float32), np.ones(SIZE, np.float32)
    present, chain, valid = 3, np.eye(3), np.ones(SIZE, bool)
    links = (4, 5, 6) if step > 0 else (3, 2, 1)
    found = list(made._along(present, step))
    assert [k for k, *_ in found] == [present + step * d for d in (1, 2, 3)]
    for link, (_, flow, trust) in zip(links, found, strict=True):
        matrix = affine(link)
        valid = valid & leads_inside(chain)
        chain = (matrix if step > 0 else np.linalg.inv(matrix)) @ chain
        assert valid.mean() > 0.3
        np.testing.assert_allclose(flow[valid], flow_of(chain)[valid], atol=0.1)
        assert 0.7 < trust.min() <= trust.max() < 1


def test_what_is_fetched_with_an_error_of_its_own_leaves_fine_detail_to_the_network():
    drops_, known = drops(), np.ones(SIZE, np.float32)
    random = np.random.default_rng(0)
    blurred = random.normal(0, 8, (*SIZE, 3)).astype(
        np.float32
    )  # as much beside drops as behind them
    weak = 0.3 * drops_
    assert np.abs(mixed_change(blurred, known, drops_, drops_, weak))[drops_ > 0].mean() < 2.5
    invented = blurred + 60 * drops_[..., None] * (np.arange(SIZE[1]) % 2 * 2 - 1)[:, None]
    found = mixed_change(invented.astype(np.float32), known, drops_, drops_, weak)
    assert np.abs(found - invented)[drops_ > 0].mean() < 6


def test_a_coarse_change_is_taken_as_far_as_it_is_not_an_error_of_what_was_fetched():
    wide = cv2.GaussianBlur(drops(), (0, 0), 4)[..., None]
    behind = np.repeat(40 * wide, 3, 2).astype(np.float32)
    known, drops_ = np.ones(SIZE, np.float32), (wide[..., 0] > 0.1).astype(np.float32)
    found = mixed_change(behind, known, drops_, drops_, 0.3 * drops_)[drops_ > 0]
    assert found.mean() > 0.95 * behind[drops_ > 0].mean()
    level = np.full((*SIZE, 3), 9, np.float32)  # as much beside drops as behind them
    share = mixed_change(level, known, drops_, drops_, 0.3 * drops_)[drops_ > 0] / 9
    assert 0.7 < share.mean() < 0.8


def noisy(frames=12, change=0):
    """Return sources that do not move, and results that the noise of the source changes behind drops."""
    random, scene = np.random.default_rng(0), texture(size=SIZE)[: SIZE[0], : SIZE[1]]
    mask = drops()[..., None]
    still = cv2.resize(scene, SIZE[::-1]).astype(np.float32) * 0.8 + 20
    sources = [still + random.normal(0, 2, still.shape) + change * n for n in range(frames)]
    results = [
        s * (1 - mask) + mask * (90 + change * n + random.normal(0, 6, still.shape))
        for n, s in enumerate(sources)
    ]
    return [[np.clip(f, 0, 255).astype(np.uint8) for f in fs] for fs in (sources, results)]


def pushed(sources, results, **options):
    made = TemporalFilter(**options)
    frames = [made.push(s, r, drops()) for s, r in zip(sources, results, strict=True)]
    return [f for f in frames if f is not None] + list(made.flush())


@pytest.mark.parametrize(('look_ahead', 'least'), [(True, 2.2), (False, 1.8)])
def test_a_standing_camera_is_steady_where_the_source_is_the_same(look_ahead, least):
    sources, results = noisy()
    found = pushed(sources, results, look_ahead=look_ahead)
    behind = drops() > 0
    before, after = (
        np.std(np.array(frames, float)[4:-4, behind], axis=0).mean() for frames in (results, found)
    )
    assert after < before / least
    # Beside the drops the network has changed nothing, and the grain stays.
    beside = cv2.dilate(drops(), np.ones((21, 21))) == 0
    np.testing.assert_array_equal(np.array(found)[:, beside], np.array(results)[:, beside])


def test_a_scene_of_little_contrast_that_moves_is_not_blurred():
    true, _ = clip(speed=1)
    sources = [(f // 32 + 100).astype(np.uint8) for f in true]
    results = [f + 6 for f in sources]  # the network has changed all of it
    made = TemporalFilter(look_ahead=False)
    pairs = zip(sources, results, strict=True)
    found = [made.push(source, result, np.zeros(SIZE, np.float32)) for source, result in pairs]
    assert np.abs(np.array(found, float) - results).mean() < 0.02


def test_what_changes_with_the_source_is_not_held_back():
    # Light that changes by 6 levels a frame: the mean of the frames around would be right, too, but not
    # that of earlier ones.
    sources, results = noisy(change=6)
    found = pushed(sources, results, look_ahead=False)
    lag = np.array(found, float) - np.array(results)
    assert np.abs(lag[:, drops() > 0].mean((1, 2))).max() < 0.5
