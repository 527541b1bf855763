"""Intervals against SciPy, the normal distribution and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from attentive_gan.leaderboard import bootstrap_mean, paired_difference
from scipy import stats


@pytest.fixture
def values():
    return np.random.default_rng(7).gamma(3.0, 2.0, 58)


def test_equals_scipy(values):
    """Percentile method; two sets of random draws differ by their own noise only."""
    found = bootstrap_mean(values, 20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method='percentile', rng=np.random.default_rng(5)
    ).confidence_interval
    noise = 0.03 * values.std() / math.sqrt(len(values)) * 2
    assert found.mean == pytest.approx(values.mean(), abs=1e-12)
    assert found.low == pytest.approx(theirs.low, abs=noise)
    assert found.high == pytest.approx(theirs.high, abs=noise)


def test_is_the_normal_interval_for_many_values():
    values = np.random.default_rng(0).normal(30, 2, 4000)
    found = bootstrap_mean(values, 4000)
    half = 1.959964 * values.std() / math.sqrt(len(values))
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)


def test_two_values_have_a_closed_form():
    """Resampled means of {0, 1} are 0, 1/2, 1 with 1/4, 1/2, 1/4."""
    assert bootstrap_mean([0.0, 1.0])[:3] == (0.5, 0.0, 1.0)
    found = bootstrap_mean([0.0, 1.0], level=0.4)
    assert (found.low, found.high) == (0.5, 0.5)


def test_is_the_same_every_time_and_moves_with_the_values(values):
    first, moved = bootstrap_mean(values), bootstrap_mean(values + 10)
    assert first == bootstrap_mean(values)
    assert moved[:3] == pytest.approx([part + 10 for part in first[:3]], abs=1e-9)


def test_infinite_values_are_left_out(values):
    assert bootstrap_mean([*values, math.inf]) == bootstrap_mean(values)
    assert bootstrap_mean([math.inf]) == (math.inf, math.inf, math.inf, 0)


def test_pairs_cancel_what_both_share(values):
    """A constant gain on images of very different difficulty has no spread at all."""
    hard = values * 10
    gain = paired_difference(hard + 0.25, hard)
    assert gain[:3] == pytest.approx((0.25, 0.25, 0.25), abs=1e-9)
    apart = bootstrap_mean(hard + 0.25)
    assert apart.low < bootstrap_mean(hard).mean < apart.high


def test_pairs_are_drawn_together(values):
    other = np.random.default_rng(1).normal(size=len(values))
    assert paired_difference(values, other) == bootstrap_mean(values - other)
    with_gap = paired_difference([math.inf, *values], [1.0, *other])
    assert with_gap == paired_difference(values, other)
