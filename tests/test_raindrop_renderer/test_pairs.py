"""Training pairs of worker processes: right in every channel, a function of their arguments alone."""

from __future__ import annotations

import multiprocessing

import cv2
import numpy as np
import pytest
from drawn_scenes.scenes import draw_scene
from raindrop_renderer.errors import RaindropOptionError
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.pairs import PairOptions, render_pair

#: Neither light nor compression changes anything.
PLAIN = {
    'exposure': (1, 1),
    'white_balance': 0.0,
    'jpeg_share': 0.0,
    'defocus_share': 0.0,
    'sharpening': (0, 0),
}


@pytest.fixture(scope='module')
def scene():
    return draw_scene(3, (120, 180))


def digest(arguments):
    return render_pair(*arguments).tobytes()


def test_channels_are_rainy_clean_and_coverage(scene):
    small = RaindropOptions(regimes={'small': 1})
    pair = render_pair(scene, 5, PairOptions(small, **PLAIN))
    assert pair.shape == (120, 180, 7)
    assert pair.dtype == np.uint8
    assert pair.flags.c_contiguous
    np.testing.assert_array_equal(pair[..., 3:6], scene)
    assert 0 < pair[..., 6].mean() < pair[..., 6].max() <= 255
    difference = np.abs(pair[..., :3].astype(int) - scene).mean(axis=2)
    assert difference[pair[..., 6] > 200].mean() > 3 * difference[pair[..., 6] == 0].mean()


def test_equal_seeds_give_equal_bytes_in_forked_workers(scene):
    calls = [(scene, seed) for seed in (1, 2, 1)]
    here = [digest(call) for call in calls]
    assert here[0] == here[2] != here[1]
    with multiprocessing.get_context('fork').Pool(2) as pool:
        assert pool.map(digest, calls) == here


def test_threads_of_opencv_are_left_as_they_were(scene):
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        render_pair(scene, 0)
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_dry_pairs_are_equal_with_compression_too(scene):
    options = PairOptions(dry_share=1, jpeg_share=1, jpeg_quality=(70, 70))
    pair = render_pair(scene, 5, options)
    np.testing.assert_array_equal(pair[..., :3], pair[..., 3:6])
    assert not pair[..., 6].any()
    shares = PairOptions(dry_share=0.15)
    small = np.ascontiguousarray(scene[:32, :48])
    dry = [not render_pair(small, seed, shares)[..., 6].any() for seed in range(200)]
    assert np.mean(dry) == pytest.approx(0.15, abs=0.08)


def test_light_changes_both_images_alike(scene):
    none = RaindropOptions(regimes={'ghosts': 1}, coverage_scale=0, mist_scale=0, lighting='day')
    grey = np.full((64, 96, 3), 100, np.uint8)
    levels = []
    for seed in range(60):
        pair = render_pair(
            grey, seed, PairOptions(none, jpeg_share=0, sharpening=(0, 0), white_balance=0.2)
        )
        levels.append(pair[0, 0, 3:6].astype(float))
        # What remains is gain, veil and reflection of the rainy image.
        assert np.abs(pair[..., :3].mean(axis=(0, 1)) - levels[-1]).max() < 25
    linear = (np.array(levels) / 100) ** 2
    assert 0.33 < linear[:, 1].min() < 0.45
    assert 1.55 < linear[:, 1].max() < 1.85
    balance = linear[:, [0, 2]] / linear[:, [1]]
    assert 0.78 < balance.min() < 0.9
    assert 1.1 < balance.max() < 1.22


def test_scenes_out_of_focus_are_blurred_in_both_images(scene):
    def detail(image):
        return np.abs(np.diff(image.astype(float), axis=1)).mean(axis=2)

    sharp = detail(scene)
    options = PairOptions(dry_share=1, **PLAIN | {'defocus_share': 1, 'defocus': (0.01, 0.01)})
    parts = []
    for seed in range(16):
        pair = render_pair(scene, seed, options)
        np.testing.assert_array_equal(pair[..., :3], pair[..., 3:6])
        assert pair[..., 3:6].mean() == pytest.approx(scene.mean(), abs=2)
        parts.append((detail(pair[..., 3:6]) == sharp).mean())
        assert detail(pair[..., 3:6]).mean() < 0.95 * sharp.mean()
    # Some wholly, some in a part; the rest of these keeps its pixels.
    assert min(parts) < 0.25
    assert max(parts) > 0.35


def test_sharpening_changes_both_images(scene):
    plain = render_pair(scene, 4, PairOptions(**PLAIN))
    pair = render_pair(scene, 4, PairOptions(**PLAIN | {'sharpening': (0.5, 0.5)}))
    for channels in (slice(0, 3), slice(3, 6)):
        before, after = (np.abs(np.diff(one[..., channels].astype(int), axis=1)).mean()
                         for one in (plain, pair))  # fmt: skip
        assert 1.2 * before < after < 2 * before
    dry = PairOptions(dry_share=1, **PLAIN | {'sharpening': (0.5, 0.5)})
    pair = render_pair(scene, 4, dry)
    np.testing.assert_array_equal(pair[..., :3], pair[..., 3:6])
    none = render_pair(scene, 4, PairOptions(**PLAIN | {'sharpening': (-0.5, -0.5)}))
    np.testing.assert_array_equal(none, plain)


def test_compression_changes_both_images(scene):
    plain = render_pair(scene, 4, PairOptions(**PLAIN)).astype(int)
    options = PairOptions(**PLAIN | {'jpeg_share': 1, 'jpeg_quality': (60, 60)})
    pair = render_pair(scene, 4, options).astype(int)
    for channels in (slice(0, 3), slice(3, 6)):
        assert 0.5 < np.abs(pair[..., channels] - plain[..., channels]).mean() < 12
    np.testing.assert_array_equal(pair[..., 6], plain[..., 6])


def test_the_target_has_the_focus_of_the_camera_unless_it_shall_be_sharp(scene):
    focused = RaindropOptions(regimes={'focused': 1}, coverage_scale=0.2)
    soft = render_pair(scene, 2, PairOptions(focused, **PLAIN)).astype(int)
    sharp = render_pair(scene, 2, PairOptions(focused, sharp_target=True, **PLAIN)).astype(int)
    np.testing.assert_array_equal(soft[..., :3], sharp[..., :3])
    np.testing.assert_array_equal(sharp[..., 3:6], scene)
    dry = soft[..., 6] == 0
    near, far = (np.abs(pair[..., :3] - pair[..., 3:6])[dry].mean() for pair in (soft, sharp))
    assert near < 0.7 * far


@pytest.mark.parametrize('wrong', [
    {'dry_share': 1.1}, {'exposure': (0, 1)}, {'exposure': (2, 1)}, {'white_balance': 0.6},
    {'jpeg_quality': (0, 90)}, {'defocus_share': 2}, {'defocus': (0, 1)}, {'sharpening': (0, 3)},
    {'frame_width': (3, 700)}, {'jpeg_share': -0.1},
])  # fmt: skip
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(RaindropOptionError, match=next(iter(wrong))):
        PairOptions(**wrong)


def test_what_is_no_image_is_refused():
    with pytest.raises(RaindropOptionError, match='16x16'):
        render_pair(np.zeros((9, 40, 3), np.uint8), 0)
    with pytest.raises(ValueError, match='uint8'):
        render_pair(np.zeros((40, 40, 4), np.uint8), 0)
