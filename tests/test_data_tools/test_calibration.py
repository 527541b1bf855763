"""A calibration finds the scales that images were made with."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from attentive_gan.data_tools.calibration import UNITS, calibrate
from attentive_gan.data_tools.calibration_search import search
from attentive_gan.datasets.raindrop_calibration import SCALES
from attentive_gan.errors import UserError
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.parameters import RaindropParameters
from raindrop_renderer.raindrops import RainyImage


def image(seed, size=(72, 96), noise=14):
    random = np.random.default_rng([seed, 3])
    rough = random.integers(40, 160, (9, 12, 3)).astype(np.float32)
    smooth = cv2.resize(rough, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + random.normal(0, noise, (*size, 3)), 0, 255).astype(np.uint8)


def simple(clean, seed, options):
    """Render squares: `coverage_scale` is their share, `sky_scale` their brightness, `mist_scale` blur."""
    random = np.random.default_rng([seed, 5])
    height, width = clean.shape[:2]
    scene = clean.astype(np.float32)
    mist = min(0.9, 0.25 * options.mist_scale)
    scene += mist * (cv2.GaussianBlur(scene, (0, 0), 2) - scene)
    alpha = np.zeros((height, width), np.float32)
    order = random.permutation((height // 6) * (width // 6))
    share = 0.2 * options.coverage_scale * random.uniform(0.95, 1.05)
    for number in order[: round(share * len(order))]:
        row, column = divmod(int(number), width // 6)
        alpha[6 * row : 6 * row + 6, 6 * column : 6 * column + 6] = 1
    tiles = random.uniform(0, 200, (height // 6, width // 6)).astype(np.float32)
    light = tiles.repeat(6, 0).repeat(6, 1) * np.float32(options.sky_scale)
    rainy = scene + alpha[..., None] * (light[..., None] - scene)
    return RainyImage(
        np.clip(rainy, 0, 255).astype(np.uint8), clean, alpha, RaindropParameters(seed=seed)
    )


def pairs_with(scales, count=12):
    options = RaindropOptions(**dict(zip(SCALES, scales, strict=True)))
    made = [simple(image(n), 900 + n, options) for n in range(count)]
    return [(one.rainy, one.clean) for one in made]


@pytest.mark.parametrize('truth', [(1.6, 0.8, 2.0), (0.5, 1.3, 1.4), (1.0, 1.0, 1.0)])
def test_known_scales_are_found(truth):
    result = calibrate(pairs_with(truth, 60), renderer=simple, seed=1, renders=60)
    found = [getattr(result.options, name) for name in SCALES]
    np.testing.assert_allclose(np.log(found), np.log(truth), atol=0.25)
    assert found != pytest.approx(truth, abs=1e-6)  # the pairs have other seeds


def test_options_are_the_start_and_stay_as_they_are():
    pairs = pairs_with((1.6, 0.8, 2.0), 30)
    start = RaindropOptions(
        level='light', lighting='day', frame_width=200, coverage_scale=1.2, mist_scale=0.5
    )
    seen = []

    def recording(clean, seed, options):
        seen.append(options)
        return simple(clean, seed, options)

    result = calibrate(pairs, start, renderer=recording, renders=30)
    fixed = dict.fromkeys(SCALES, 1.0)
    assert replace(result.options, **fixed) == replace(start, **fixed)
    assert seen[0] == start
    assert result.options.coverage_scale == pytest.approx(1.6, rel=0.15)


def test_counts_and_repeats():
    count = [0]

    def step():
        count[0] += 1

    pairs = pairs_with((1.5, 1.0, 1.0), 3)
    first = calibrate(pairs, renderer=simple, renders=6, on_render=step)
    assert 0 < count[0] <= 27 * 6
    assert calibrate(pairs, renderer=simple, renders=6) == first
    assert (len(first.real), len(first.before), len(first.after)) == (3, 6, 6)
    record = json.loads(json.dumps(first.record(), allow_nan=False))
    assert set(record['scales']) == set(SCALES)
    assert set(record['statistics']) == {'real', 'before', 'after'}


def test_impossible_targets_stay_within_bounds():
    black = np.zeros((48, 66, 3), np.uint8)
    white = np.full_like(black, 255)
    result = calibrate([(white, black), (black, black)], renderer=simple, renders=4)
    for name in SCALES:
        assert 0.2 < getattr(result.options, name) <= 4


def test_large_images_are_shrunk_with_their_frame():
    sizes = []

    def recording(clean, seed, options):
        sizes.append((clean.shape, options.frame_width))
        return simple(clean, seed, options)

    clean = image(1, (384, 1440))
    calibrate(
        [(clean // 2, clean)], RaindropOptions(frame_width=2880), renders=1, renderer=recording
    )
    assert set(sizes) == {((192, 720, 3), 1440)}


def test_nothing_to_fit_to():
    with pytest.raises(UserError, match='at least one pair'):
        calibrate([], renderer=simple)
    with pytest.raises(UserError, match='one rendering'):
        calibrate(pairs_with((1, 1, 1), 1), renderer=simple, renders=0)


def test_the_true_renderer_comes_closer_to_wetter_pairs():
    from raindrop_renderer.sampling import add_raindrops

    options = RaindropOptions(coverage_scale=2.2, regimes={'small': 1})
    made = [add_raindrops(image(n, (120, 180), noise=3), 900 + n, options) for n in range(8)]
    start = RaindropOptions(regimes={'small': 1})
    result = calibrate([(one.rainy, one.clean) for one in made], start, renders=12)
    means = {
        name: [np.mean([getattr(s, name) or 0 for s in side]) for side in
               (result.real, result.before, result.after)]
        for name in UNITS
    }  # fmt: skip
    wanted, before, after = means['mask_coverage']
    assert abs(after - wanted) < abs(before - wanted)
    assert result.options.coverage_scale > 1.2


def test_a_step_that_makes_it_worse_is_not_taken():
    def trap(place):
        return np.array([1 - place[0] if place[0] < 0.32 else 5.0])

    assert 0 < search(trap)[0] < 0.32
    np.testing.assert_array_equal(search(lambda place: np.array([1 + 5 * (place != 0).any()])), 0)
