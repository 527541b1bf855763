"""Small data sets in the published layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attentive_gan.imaging import write_image


def pair_of(number: int, size: tuple[int, int] = (24, 36)) -> tuple[np.ndarray, np.ndarray]:
    """Return a rainy and a clean image that belong to a number; red grows with it."""
    random = np.random.default_rng(number)
    clean = random.integers(0, 120, (*size, 3), np.uint8)
    clean[..., 0] = 10 * number
    rainy = clean.copy()
    rainy[2:9, 5:15] = 240
    return rainy, clean


@pytest.fixture
def raindrop_set(tmp_path) -> Callable[..., Path]:
    """Return a function that writes a data set with the given numbers, in the given order."""

    def write(numbers=(0, 1, 2), root=tmp_path / 'train', suffixes=('.png',)) -> Path:
        for position, number in enumerate(numbers):
            rainy, clean = pair_of(number)
            suffix = suffixes[position % len(suffixes)]
            write_image(root / 'data' / f'{number}_rain{suffix}', rainy)
            write_image(root / 'gt' / f'{number}_clean{suffix}', clean)
        return root

    return write
