"""What is behind drops comes from other frames; where none shows it, the network's image remains."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from attentive_gan.restoration.video.motion import affine_flow, scene_flow
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
    assert error(found, true) < 12


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
