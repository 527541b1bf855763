"""Small pairs of images, and data sets of them."""

from __future__ import annotations

import numpy as np


def pair_of(number: int, size: tuple[int, int] = (24, 36)) -> tuple[np.ndarray, np.ndarray]:
    """Return a rainy and a clean image that belong to a number; red grows with it."""
    random = np.random.default_rng(number)
    clean = random.integers(0, 120, (*size, 3), np.uint8)
    clean[..., 0] = 10 * number
    rainy = clean.copy()
    rainy[2:9, 5:15] = 240
    return rainy, clean
