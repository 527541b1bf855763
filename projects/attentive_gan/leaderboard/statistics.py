"""How sure a mean over images is: bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: Resamples of a bootstrap, and its seed: intervals are the same on every machine.
RESAMPLES = 10_000
SEED = 0
#: Share of the resampled means within an interval.
LEVEL = 0.95
#: Resamples that are drawn at once, to bound memory.
_CHUNK = 500


class Mean(NamedTuple):
    """A mean over images with its interval.

    Attributes:
        mean: The mean of the finite values.
        low: Lower end of the 95 % bootstrap interval.
        high: Upper end.
        images: How many values were finite.
    """

    mean: float
    low: float
    high: float
    images: int


def bootstrap_mean(
    values: Sequence[float], resamples: int = RESAMPLES, seed: int = SEED, level: float = LEVEL
) -> Mean:
    """Return a mean with its percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).

    Infinite values, the PSNRs of equal images, are left out, as in all means here.

    Args:
        values: One value per image.
        resamples: How often the images are drawn anew, with replacement.
        seed: Seed of the draws.
        level: Share of the resampled means within the interval.
    """
    finite = np.asarray([value for value in values if np.isfinite(value)], np.float64)
    if not len(finite):
        return Mean(float('inf'), float('inf'), float('inf'), 0)
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            finite[random.integers(len(finite), size=(rows, len(finite)))].mean(axis=1)
            for rows in _chunks(resamples)
        ]
    )
    tail = 50 * (1 - level)
    low, high = np.percentile(means, [tail, 100 - tail])
    return Mean(float(finite.mean()), float(low), float(high), len(finite))


def paired_difference(
    values: Sequence[float],
    reference: Sequence[float],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Mean:
    """Return the mean of the images' differences with its interval.

    Images are drawn as pairs, so what makes an image hard for both cancels. Images with an
    infinite value on either side are left out.

    Args:
        values: One value per image.
        reference: The reference's values of the same images, in the same order.
        resamples: See `bootstrap_mean`.
        seed: See `bootstrap_mean`.
    """
    pairs = zip(values, reference, strict=True)
    finite = [a - b for a, b in pairs if np.isfinite(a) and np.isfinite(b)]
    return bootstrap_mean(finite, resamples, seed)


def _chunks(total: int) -> list[int]:
    """Split a number into parts of bounded size."""
    whole, rest = divmod(total, _CHUNK)
    return [_CHUNK] * whole + ([rest] if rest else [])
