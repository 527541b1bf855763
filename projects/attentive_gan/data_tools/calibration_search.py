"""Damped Gauss-Newton search over the logarithms of the scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from attentive_gan.datasets.raindrop_calibration import SCALES

Vector = NDArray[np.float64]

#: Bounds of the natural logarithm of each scale (a quarter to four times).
_BOUND = float(np.log(4))

#: Step of the finite differences, and the longest step of the search, in natural logarithms.
_DIFFERENCE, _LONGEST = 0.3, 0.7

#: Rounds of the search at most.
_ROUNDS = 4


def search(residual: Callable[[Vector], Vector]) -> Vector:
    """Minimise the sum of squares of a residual over the logarithms of the scales.

    Args:
        residual: Function of (3,) logarithms that returns (N,) values.

    Returns:
        The logarithms (3,), within a quarter to four times; a step that does not help is not taken.
    """
    place = np.zeros(len(SCALES))
    here = residual(place)
    for _ in range(_ROUNDS):
        slopes = np.stack([_slope(residual, place, here, axis) for axis in range(len(place))], 1)
        normal = slopes.T @ slopes + 1e-3 * np.eye(len(place))
        step = -np.linalg.solve(normal, slopes.T @ here)
        step *= min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-9))
        for share in (1.0, 0.5, 0.25):
            candidate = np.clip(place + share * step, -_BOUND, _BOUND)
            there = residual(candidate)
            if there @ there < here @ here:
                break
        else:
            return place
        settled = float(np.abs(candidate - place).max()) < 0.05
        place, here = candidate, there
        if settled:
            break
    return place


def _slope(residual: Callable[[Vector], Vector], place: Vector, here: Vector, axis: int) -> Vector:
    """Return the change of the residual per unit of one logarithm, looking away from the near bound."""
    step = -_DIFFERENCE if place[axis] > 0 else _DIFFERENCE
    moved = place.copy()
    moved[axis] += step
    return (residual(moved) - here) / step
