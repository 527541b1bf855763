"""Bootstrap intervals of means over images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: Resamples of a bootstrap, and its seed: intervals are the same on every machine.
RESAMPLES = 10_000
SEED = 0
#: Share of the resampled means within an interval.
LEVEL = 0.95
#: Resamples per step, to bound memory.
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
        resamples: Number of samples of the images, drawn with replacement.
        seed: Seed of the random numbers.
        level: Share of the resampled means within the interval.

    Returns:
        Mean and interval of the finite values; infinite where there is none.

    Example:
        >>> bootstrap_mean([0.0, 1.0])
        Mean(mean=0.5, low=0.0, high=1.0, images=2)
    """
    finite = np.asarray([value for value in values if np.isfinite(value)], np.float64)
    if not len(finite):
        return Mean(float('inf'), float('inf'), float('inf'), 0)
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            finite[random.integers(len(finite), size=(rows, len(finite)))].mean(axis=1)
            for start in range(0, resamples, _CHUNK)
            for rows in (min(_CHUNK, resamples - start),)
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
    """Return the mean of the differences per image with its interval.

    Images are resampled as pairs, so the difficulty of an image cancels. Images with an infinite value
    on either side are left out.

    Args:
        values: One value per image.
        reference: The reference's values of the same images, in the same order.
        resamples: See `bootstrap_mean`.
        seed: See `bootstrap_mean`.

    Example:
        >>> paired_difference([30.25, 20.25], [30.0, 20.0]).low
        0.25
    """
    pairs = zip(values, reference, strict=True)
    finite = [a - b for a, b in pairs if np.isfinite(a) and np.isfinite(b)]
    return bootstrap_mean(finite, resamples, seed)
