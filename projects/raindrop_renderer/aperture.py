"""Defocus blur: a point becomes an image of the lens opening."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .exact import KERNEL_SUM, Floats

#: Points per pixel and direction at which the opening's outline is sampled.
_OVERSAMPLING = 16


@lru_cache(maxsize=256)
def aperture_kernel(radius: float, blades: int = 0, angle: float = 0.0) -> Floats:
    """Return the blur kernel of a lens opening, as whole numbers that add up to `KERNEL_SUM`.

    Args:
        radius: Radius of the blur in pixels (of the polygon's corners), 0 or more.
        blades: Number of sides; 0 is a circle.
        angle: Rotation of a polygon in degrees.

    Returns:
        Kernel (K, K), float32, K odd.

    Example:
        >>> kernel = aperture_kernel(2.0)
        >>> kernel.shape, float(kernel.sum()) == KERNEL_SUM
        ((7, 7), True)
    """
    half = int(np.ceil(radius + 0.5 - 1e-6))
    points = (2 * half + 1) * _OVERSAMPLING
    places = (np.arange(points) + 0.5) / _OVERSAMPLING - half - 0.5
    across, down = np.meshgrid(places, places)
    # At least a pixel's own area, so that a small opening blurs nothing instead of losing light.
    radius = max(radius, 0.5)
    if blades == 0:
        inside = across**2 + down**2 <= radius**2
    else:
        turns = np.radians(angle + 360 / blades * np.arange(blades))
        reach = radius * np.cos(np.pi / blades)
        inside = np.all(
            [np.cos(turn) * across + np.sin(turn) * down <= reach for turn in turns], axis=0
        )
    size = 2 * half + 1
    area = inside.reshape(size, _OVERSAMPLING, size, _OVERSAMPLING).sum(axis=(1, 3))
    return _whole_numbers(area / area.sum() * KERNEL_SUM).astype(np.float32)


def _whole_numbers(weights: np.ndarray) -> np.ndarray:
    """Round weights so that their sum stays: the largest remainders are rounded up."""
    rounded = np.floor(weights)
    missing = round(weights.sum() - rounded.sum())
    order = np.argsort(np.round((rounded - weights).ravel(), 9), kind='stable')
    rounded.ravel()[order[:missing]] += 1
    return np.asarray(rounded)
