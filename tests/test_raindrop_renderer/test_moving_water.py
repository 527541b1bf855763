"""Drops that form, run and are wiped away: what each does, as a function of the time alone."""

from __future__ import annotations

import numpy as np
import pytest
from raindrop_renderer import (
    WATERS,
    MovingWater,
    RaindropOptionError,
    RaindropParameters,
    render_raindrops,
)
from raindrop_renderer.placement import place_drops

CLEAN = np.full((96, 144, 3), 110, np.uint8)
PARAMETERS = RaindropParameters(coverage=0.3, seed=5, aperture=0.1, trails=0.0)


def alpha(kind, seconds, parameters=PARAMETERS):
    water = MovingWater(kind, seconds)
    return render_raindrops(CLEAN, parameters, 500, water=water).alpha


def test_drops_that_stay_are_those_of_an_image():
    image = render_raindrops(CLEAN, PARAMETERS, 500)
    np.testing.assert_array_equal(alpha('fixed', 3.0), image.alpha)
    np.testing.assert_array_equal(alpha('wiped', 0.2), image.alpha)  # before the first sweep


@pytest.mark.parametrize('kind', WATERS)
def test_equal_times_give_equal_frames_and_windows_are_parts(kind):
    water = MovingWater(kind, 0.6)
    whole, again = (render_raindrops(CLEAN, PARAMETERS, 500, water=water) for _ in range(2))
    np.testing.assert_array_equal(whole.rainy, again.rainy)
    part = render_raindrops(CLEAN, PARAMETERS, 500, (20, 30, 40, 64), water)
    np.testing.assert_array_equal(part.rainy, whole.part((20, 30, 40, 64)).rainy)


def test_some_drops_form_and_some_go_while_the_amount_stays():
    frames = [alpha('forming', t) for t in np.arange(0, 40, 0.5)]
    means = [frame.mean() for frame in frames]
    assert 0.5 * alpha('fixed', 0).mean() < np.mean(means) < 0.95 * alpha('fixed', 0).mean()
    assert abs(np.mean(means[:40]) - np.mean(means[40:])) < 0.02
    change = np.abs(frames[3] - frames[1])
    assert 0.01 < (change > 0.5).mean() < 0.5


def test_running_drops_move_down_and_take_others_with_them():
    size, scale = (96, 144), 6.0
    placed = place_drops(size, scale, 10, PARAMETERS)
    times = (1.0, 1.0 + 1 / 12)
    first, second = (MovingWater('running', t).drops(placed, size, scale, 5) for t in times)
    # Where a large drop is in the middle of the glass, it is lower afterwards; its column stays.
    largest = [d.size >= np.quantile(placed.size, 0.85) for d in (first, second)]
    rows = [
        {(a, r): d for a, r, d in zip(f.across[m], f.rank[m], f.down[m], strict=True)}
        for f, m in zip((first, second), largest, strict=True)
    ]
    ways = [rows[1][key] - rows[0][key] for key in rows[0] if 0 <= rows[0][key] < 80]
    moving = [way for way in ways if way]
    assert len(moving) > 5
    assert all(15 * scale / 12 - 1 <= way <= 60 * scale / 12 + 1 for way in moving)
    places, left = (set(zip(d.down, d.across, d.rank, strict=True)) for d in (placed, first))
    runners = 0.15 * len(places)
    assert len(places & left) < len(places) - runners


def test_a_sweep_clears_the_glass_behind_the_blade():
    # Half of the first sweep: left of the blade the glass is dry, right of it nothing has changed.
    fixed, swept = alpha('fixed', 0), alpha('wiped', 0.25 + 0.15)
    assert swept[:, :40].mean() < 0.35 * fixed[:, :40].mean()
    np.testing.assert_array_equal(swept[:, 110:], fixed[:, 110:])
    after, before_next = alpha('wiped', 0.25 + 0.31), alpha('wiped', 0.25 + 0.89)
    assert after.mean() < before_next.mean() < fixed.mean()


@pytest.mark.parametrize('seconds', [-1, float('nan'), 1e9])
def test_times_out_of_range_are_named(seconds):
    with pytest.raises(RaindropOptionError, match='seconds must be within'):
        MovingWater('fixed', seconds)


def test_highlights_are_wiped_too():
    parameters = RaindropParameters(coverage=0.0, highlights=300, highlight_level=1.0, seed=1)
    dry, wet = alpha('wiped', 0.57, parameters), alpha('wiped', 0.0, parameters)
    assert dry.mean() < 0.5 * wet.mean()
