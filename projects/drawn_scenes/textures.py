"""Textures with which the shapes of a drawn scene are filled.

Each tile is made once per process from a fixed seed, and then cut at random places.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from .patterns import MAKERS, Pixels, Random, TextureName

#: Number of times that a tile can be halved.
LEVELS = 4


def smooth_noise(
    random: Random,
    size: tuple[int, int],
    cells: int,
    octaves: int = 4,
    *,
    stretch: float = 1.0,
    falloff: float = 0.7,
) -> Pixels:
    """Return smooth random values with detail at several scales, equal on any machine.

    Args:
        random: Source of random numbers.
        size: (height, width) in pixels.
        cells: Number of the coarsest blobs across the width.
        octaves: Number of scales, each half as large as the one before.
        stretch: How much wider than high the blobs are.
        falloff: Strength of each scale as a share of the one before; 1 gives 1/f noise.

    Returns:
        Values (H, W), uint8, that reach from 0 to 255.
    """
    height, width = size
    finest = cells * 2 ** (octaves - 1)
    reduction = max(1, min(8, width // (finest * 3)))
    small = -(-width // reduction), -(-height // reduction)
    total = np.zeros(small[::-1], np.int32)
    for octave in range(octaves):
        across = cells * 2**octave + 1
        down = max(2, round(across * height / width * stretch))
        grid = random.integers(0, 256, (down, across), np.uint8)
        fine = cv2.resize(grid, small, interpolation=cv2.INTER_LINEAR_EXACT)
        total += fine.astype(np.int32) * round(256 * falloff**octave)
    low, high = int(total.min()), int(total.max())
    even = ((total - low) * 255 // max(1, high - low)).astype(np.uint8)
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_LINEAR_EXACT))


@cache
def texture(name: TextureName, level: int = 0) -> Pixels:
    """Return a tile whose sides fit together.

    Args:
        name: What it shows.
        level: How often it is halved, 0 to `LEVELS`.

    Returns:
        Brightness relative to the paint's colour, RGB (T, T, 3), uint8, 128 for one; `leaves` have a
        fourth channel, constant on each leaf: leaves are left out where it exceeds a density.
    """
    if level:
        full = texture(name, level - 1)
        half = cv2.resize(full, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return np.asarray(half)
    random = np.random.default_rng([list(MAKERS).index(name), 7])
    return np.ascontiguousarray(MAKERS[name](random))


def cut(random: Random, name: TextureName, level: int, size: tuple[int, int]) -> Pixels:
    """Return a piece (H, W, 3 or 4) of a tile from a random place, mirrored at random."""
    tile = texture(name, max(0, min(LEVELS, level)))
    side = tile.shape[0]
    top, left = (int(place) for place in random.integers(0, side, 2))
    height, width = size
    if top + height > side:
        tile = tile[(np.arange(top, top + height)) % side]
        top = 0
    tile = tile[top : top + height]
    if left + width > side:
        tile = tile[:, (np.arange(left, left + width)) % side]
        left = 0
    piece = tile[:, left : left + width]
    return np.ascontiguousarray(piece[:, ::-1] if random.random() < 0.5 else piece)
