"""What each regime beyond the published pairs shows, held against what was measured on real photos."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from attentive_gan.datasets.pair_statistics import raindrop_statistics
from attentive_gan.image_io import read_image
from raindrop_renderer.glass import stamp
from raindrop_renderer.highlights import Highlights
from raindrop_renderer.moving_water import MovingWater
from raindrop_renderer.options import TRAINING_MIX, RaindropOptions
from raindrop_renderer.parameters import REGIMES, RaindropParameters
from raindrop_renderer.placement import place_drops
from raindrop_renderer.raindrops import render_raindrops
from raindrop_renderer.sampling import add_raindrops, sample_parameters
from raindrop_renderer.sprites import FULL, SHAPES, STEEP_SHAPES, size_class, sprite

#: A camera whose blur has a radius of about 9 pixels in a frame of 720, before a dry glass.
DRY = RaindropParameters(
    mist=0, haze=0, veil=0, gain=1, reflection=0, coverage=0, fine_coverage=0, blades=6, seed=2,
    field_of_view=24, glass_distance=112.9, aperture=0.6,
)  # fmt: skip


def flat(level, height=240, width=360):
    return np.full((height, width, 3), level, np.uint8)


def made(regime, clean, seeds, **options):
    chosen = RaindropOptions(regimes={regime: 1}, **options)
    return [add_raindrops(clean, seed, chosen) for seed in seeds]


def components(marked, least=3):
    """Return the bounding boxes (width, height) and areas of connected parts."""
    _, _, found, _ = cv2.connectedComponentsWithStats(marked.astype(np.uint8))
    found = found[1:][found[1:, 4] >= least]
    return found[:, 2:4], found[:, 4]


def test_the_mix_for_training_has_every_regime():
    assert set(TRAINING_MIX) == set(REGIMES)
    assert sum(TRAINING_MIX.values()) == pytest.approx(1)
    options = RaindropOptions(regimes=TRAINING_MIX)
    drawn = [sample_parameters(seed, options).regime for seed in range(800)]
    for regime, share in TRAINING_MIX.items():
        assert drawn.count(regime) / 800 == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize('night', [False, True])
@pytest.mark.parametrize('regime', REGIMES)
def test_parameters_of_all_regimes_are_within_their_ranges(regime, night):
    options = RaindropOptions(regimes={regime: 1}, level='heavy')
    for seed in range(200):  # the record itself refuses values out of range
        assert sample_parameters(seed, options, night).regime == regime


def test_a_highlight_is_the_image_of_the_lens_opening():
    parameters = replace(DRY, highlights=12, highlight_level=2, highlight_rim=0)
    discs = Highlights(parameters, (480, 720), 720, 9.0, MovingWater()).discs
    for disc in discs:
        radius = np.sqrt(disc.covered.sum() / (6 / 2 * np.sin(np.pi / 3)))  # area of a hexagon
        assert 0.8 * 9 < radius < 1.15 * 9
        across = np.flatnonzero((disc.covered > 0.5).any(axis=0))
        assert across.size < 2.4 * 9
    # The outline is sharp: from covered to free within two pixels or so (and the fringe of colours).
    sharp = np.mean([((d.covered > 0.1) & (d.covered < 0.9)).sum() for d in discs])
    assert sharp < 2.2 * 2 * np.pi * 9


def test_highlights_are_counted_on_dark_ground_and_saturated_where_bright():
    parameters = replace(DRY, highlights=60, highlight_level=4)
    result = render_raindrops(flat(10, 480, 720), parameters)
    boxes, _ = components(result.rainy.mean(axis=2) > 60, 40)
    assert 40 < len(boxes) <= 61  # some touch or lie at the border
    assert np.median(boxes) == pytest.approx(2 * 9 * 0.93, rel=0.2)
    assert (result.rainy[result.alpha > 0.55] >= 254).mean() > 0.5
    assert result.coverage.max() > 128
    twice = render_raindrops(flat(10, 480, 720), replace(parameters, highlights=120)).alpha
    assert twice.mean() == pytest.approx(2 * result.alpha.mean(), rel=0.25)


def test_highlights_have_brighter_rims_and_do_not_darken():
    lights = Highlights(
        replace(DRY, highlights=10, highlight_rim=2, blades=0), (480, 720), 720, 12.0, MovingWater()
    )
    for disc in lights.discs:
        middle = disc.light[len(disc.light) // 2 - 3 :][:6, len(disc.light) // 2 - 3 :][
            :, :6
        ].mean()
        assert disc.light.max() > 1.8 * middle
    white = flat(255)
    dim = replace(DRY, highlights=200, highlight_level=0.1, highlight_texture=0)
    # What remains is the fringe of colours.
    assert render_raindrops(white, dim).rainy.min() >= 245


def test_steep_drops_have_wide_rims_that_let_nothing_through():
    def reflecting(shape):
        pixels = sprite(shape, int(size_class(np.array([20.0]))[0]))
        covered = (pixels >> 48) > FULL // 2
        return ((pixels >> 27 & 0x1FFF)[covered] < FULL // 2).mean()

    steep = np.mean([reflecting(SHAPES + number) for number in range(STEEP_SHAPES)])
    plain = np.mean([reflecting(number) for number in range(SHAPES)])
    assert steep > 0.2
    assert plain < 0.12
    clean = flat(150)
    drops = replace(DRY, coverage=0.3, rim=0, focus='drops', aperture=0.2, sky_elevation=90)
    dark = [(render_raindrops(clean, replace(drops, steep=share)).rainy < 60).mean()
            for share in (0, 1)]  # fmt: skip
    assert dark[1] > 2 * dark[0]


def test_streaks_lie_above_large_drops():
    parameters = replace(DRY, coverage=0.05, unevenness=0, radius_spread=0.6)
    plain, streaky = (
        place_drops((400, 600), 8.0, 0.0, replace(parameters, streaks=share)) for share in (0, 1)
    )
    count = len(plain.down)
    np.testing.assert_array_equal(streaky.down[:count], plain.down)
    assert len(streaky.down) > 1.5 * count
    areas = [stamp(d, (0, 400), (0, 600)).coverage.mean() for d in (plain, streaky)]
    assert areas[1] > 1.3 * areas[0]


def test_tiny_drops_are_hundreds_of_a_few_pixels_with_dark_rims_and_bright_spots():
    """A real photo of such drops (720x480) has 1577 marks of a median diameter of 3.6 pixels."""
    bright, dark = flat(200, 480, 720), flat(60, 480, 720)
    darkest = []
    for on_bright, on_dark in zip(
        made('tiny', bright, range(4)), made('tiny', dark, range(4), lighting='day'), strict=True
    ):
        change = np.abs(on_bright.rainy.astype(int) - 200).mean(axis=2)
        _, areas = components(change > 25)
        assert 400 < len(areas) < 6000
        assert 1.9 < np.median(2 * np.sqrt(areas / np.pi)) < 6
        darkest.append(on_bright.rainy.min())
        assert on_dark.rainy.max() > 150
    assert np.mean(darkest) < 130


def test_veils_are_faint():
    clean = flat(120, 480, 720)
    results = made('veil', clean, range(12))
    changes = [np.abs(one.rainy.astype(int) - 120).mean() for one in results]
    assert 1 < np.median(changes) < 15
    alphas = np.array([one.alpha.max() for one in results])
    assert np.median(alphas) < 0.8
    soft = [np.abs(np.diff(one.alpha, axis=1)).max() for one in results]
    assert max(soft) < 0.06


@pytest.mark.shared
def test_windscreens_are_as_heavy_as_real_crops(shared):
    root = shared / 'data' / 'windscreen_crops'
    names = ('psnr', 'mask_coverage', 'detail_ratio', 'brighter_share')
    table = []
    for number in range(0, 105, 3):
        clean = read_image(root / 'gt' / f'{number}_clean.png')
        rainy = read_image(root / 'data' / f'{number}_rain.png')
        [ours] = made('windscreen', clean, [number], frame_width=720, lighting='day')
        found = [raindrop_statistics(image, clean) for image in (rainy, ours.rainy)]
        table.append([[getattr(one, name) for name in names] for one in found])
    real, rendered = np.nanmean(np.array(table, float), axis=0)
    # The real crops are loosely aligned, which makes them differ more.
    assert real[0] < rendered[0] < real[0] + 2.5
    assert real[1] - 0.2 < rendered[1] < real[1]
    np.testing.assert_allclose(rendered[2:], real[2:], atol=0.12)
