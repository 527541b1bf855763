"""Patterns that textures are made of: dead leaves, noise, courses of bricks, on tiles that fit together.

The leaves, the stones and the grass are dead-leaves images (opaque shapes of power-law size that hide
each other; Lee, Mumford and Huang, IJCV 2001); the noises have about equal strength in every octave, so
that their power falls with the square of the frequency, as in photos (Field, JOSA A 1987).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Random = np.random.Generator

TextureName = Literal[
    'noise',
    'rough',
    'leaves',
    'grass',
    'stones',
    'bricks',
    'boards',
    'water',
    'bark',
    'fur',
    'tiles',
]

#: Height and width of a tile in pixels; it goes on at its other side.
TILE = 512

_SHIFT = 4

_NEUTRAL = 128


def power_law(random: Random, smallest: float, largest: float, count: int) -> NDArray[np.float64]:
    """Return sizes (count,) with density proportional to size^-3, as scale invariance asks for."""
    share = 1 - (smallest / largest) ** 2
    return smallest / np.sqrt(1 - share * random.random(count))


def outline(random: Random, corners: int, flat: float, uneven: float = 0.15) -> NDArray[np.float64]:
    """Return the corners (n, 2) of a rough ellipse of radius 1, turned at random."""
    angles = np.arange(corners) * (2 * math.pi / corners)
    radii = 1 + uneven * (2 * random.random(corners) - 1)
    x, y = np.cos(angles) * radii, np.sin(angles) * radii * flat
    turn = random.uniform(0, math.pi)
    across, down = math.cos(turn), math.sin(turn)
    return np.stack([x * across - y * down, x * down + y * across], axis=1)


def _cover(tile: Pixels, corners: NDArray[np.float64], colour: tuple[int, ...]) -> None:
    """Fill a polygon on a tile, and again where it goes on at the other side."""
    points = np.round(corners * 2**_SHIFT).astype(np.int32)
    low, high = points.min(axis=0), points.max(axis=0)
    side = TILE << _SHIFT
    for x in [0] + [side] * bool(low[0] < 0) + [-side] * bool(high[0] >= side):
        for y in [0] + [side] * bool(low[1] < 0) + [-side] * bool(high[1] >= side):
            cv2.fillPoly(tile, [points + np.array([x, y], np.int32)], colour, cv2.LINE_8, _SHIFT)


def _octaves(random: Random, weights: dict[int, int], wide: int = 1, high: int = 1) -> Pixels:
    """Return noise (T, T, 1), mean 128: random cells of so many pixels with such weights."""
    total = np.zeros((TILE, TILE), np.int32)
    for cell, weight in weights.items():
        across, down = max(2, TILE // (cell * wide)), max(2, TILE // (cell * high))
        grid = np.pad(random.integers(0, 256, (down, across), np.uint8), 1, mode='wrap')
        step_x, step_y = TILE // across, TILE // down
        size = (across + 2) * step_x, (down + 2) * step_y
        fine = cv2.resize(grid, size, interpolation=cv2.INTER_LINEAR_EXACT)
        total += (
            fine[step_y : step_y + TILE, step_x : step_x + TILE].astype(np.int32) - 128
        ) * weight
    return np.asarray(np.clip(_NEUTRAL + total // 96, 0, 255).astype(np.uint8))[..., None]


def _coloured(grey: Pixels, hue: Pixels, strength: int) -> Pixels:
    """Return grey (T, T, 1) with red and blue moved apart by a second noise, RGB (T, T, 3)."""
    base, shift = grey.astype(np.int32), (hue.astype(np.int32) - 128) * strength // 64
    return np.asarray(
        np.clip(np.concatenate([base + shift, base, base - shift], 2), 0, 255).astype(np.uint8)
    )


def _noise(random: Random) -> Pixels:
    grey = _octaves(random, {128: 24, 64: 24, 32: 24, 16: 24, 8: 24, 4: 26, 2: 26, 1: 22})
    return _coloured(grey, _octaves(random, {64: 40, 16: 30, 4: 20}), 5)


def _rough(random: Random) -> Pixels:
    grey = _octaves(random, {64: 10, 16: 14, 8: 14, 4: 26, 2: 40, 1: 40})
    return _coloured(grey, _octaves(random, {32: 40, 4: 20}), 5)


def _leaves(random: Random) -> Pixels:
    """Small leaves over each other; the deeper, the darker, as less light gets there."""
    tile = np.full((TILE, TILE, 4), 40, np.uint8)
    count = 7000
    sizes = power_law(random, 8, 30, count)
    for number in range(count):
        depth = number / count
        shape = outline(random, 7, random.uniform(0.35, 0.75)) * (sizes[number] * 0.75)
        place = random.random(2) * TILE
        tone = (0.25 + 0.75 * depth) * random.uniform(0.55, 1.35)
        warm = random.uniform(0.84, 1.14)
        tones = (150 * tone * warm, 152 * tone, 150 * tone * random.uniform(0.75, 1.15))
        height = int(random.integers(0, 256))
        colour = (*(min(255, round(value)) for value in tones), height)
        _cover(tile, shape + place, colour)
        lit = tuple(min(255, round(value * 1.22)) for value in tones)
        _cover(tile, shape[:4] + place, (*lit, height))
    return tile


def _strokes(random: Random, length: float, lean: float, dark: float) -> Pixels:
    """Thin blades over each other, the deeper the darker."""
    tile = np.full((TILE, TILE, 3), 80, np.uint8)
    count = 9000
    for number in range(count):
        x, y = random.random(2) * TILE
        reach = length * random.uniform(0.5, 1.3)
        tip = reach * lean * (2 * random.random() - 1)
        thick = random.uniform(0.8, 1.9)
        bend = tip * 0.35
        corners = np.array(
            [(x - thick, y), (x + bend, y - reach / 2), (x + tip, y - reach), (x + thick, y)]
        )
        tone = (dark + (1 - dark) * number / count) * random.uniform(0.55, 1.45) * 160
        warm = random.uniform(0.85, 1.15)
        colour = tuple(min(255, round(tone * share)) for share in (warm, 1.0, 2 - 1.1 * warm))
        _cover(tile, corners, colour)
    return tile


def _grass(random: Random) -> Pixels:
    return _strokes(random, 17, 0.6, 0.4)


def _fur(random: Random) -> Pixels:
    return _strokes(random, 24, 1.1, 0.5)


def _stones(random: Random) -> Pixels:
    """Stones over each other, each with a lit side and a dark rim."""
    tile = np.full((TILE, TILE, 3), 40, np.uint8)
    count = 2600
    sizes = power_law(random, 7, 54, count)
    for number in range(count):
        shape = outline(random, 9, random.uniform(0.55, 0.95), 0.12) * (sizes[number] * 0.7)
        place = random.random(2) * TILE
        tone, warm = random.uniform(85, 190), random.uniform(0.95, 1.06)
        for scale, move, light in ((1, 0.0, 0.45), (0.9, -0.06, 0.85), (0.62, -0.18, 1.1)):
            value = tone * light
            colour = (round(value * warm), round(value), round(value * (2 - warm)))
            _cover(tile, shape * scale + place + (0, move * sizes[number]), colour)
    rough = _octaves(random, {8: 16, 4: 16, 2: 20, 1: 20}).astype(np.int32)
    return np.asarray(np.clip(tile.astype(np.int32) * rough // _NEUTRAL, 0, 255).astype(np.uint8))


def _courses(random: Random, high: int, wide: int, gap: int, spread: float) -> Pixels:
    """Rows of bricks, each row moved by half a brick, with mortar of another tone between."""
    tile = np.full((TILE, TILE, 3), 165 if gap > 1 else 60, np.uint8)
    for row in range(TILE // high):
        start = (row % 2) * wide // 2
        for column in range(TILE // wide):
            tone, warm = 128 + random.uniform(-spread, spread), random.uniform(0.92, 1.08)
            x, y = column * wide + start, row * high
            box = [
                (x, y),
                (x + wide - gap - 1, y),
                (x + wide - gap - 1, y + high - gap - 1),
                (x, y + high - gap - 1),
            ]
            colour = (round(tone * warm), round(tone), round(tone * (2 - warm)))
            _cover(tile, np.array(box, np.float64), colour)
    rough = _octaves(random, {32: 10, 8: 10, 4: 14, 2: 18, 1: 18}).astype(np.int32)
    return np.asarray(np.clip(tile.astype(np.int32) * rough // _NEUTRAL, 0, 255).astype(np.uint8))


def _bricks(random: Random) -> Pixels:
    return _courses(random, 8, 32, 2, 34)


def _tiles(random: Random) -> Pixels:
    return _courses(random, 16, 16, 1, 26)


def _boards(random: Random) -> Pixels:
    """Upright boards with grain along them and dark joints."""
    tone = np.repeat(random.integers(104, 152, TILE // 16), 16)
    tone[::16] = 55
    grain = _octaves(random, {1: 30, 2: 30, 4: 24, 8: 12}, high=16).astype(np.int32)
    grey = np.clip(tone[None, :, None] * grain // _NEUTRAL, 0, 255).astype(np.uint8)
    return _coloured(grey, _octaves(random, {32: 40, 4: 20}), 5)


def _water(random: Random) -> Pixels:
    grey = _octaves(random, {64: 14, 16: 26, 8: 30, 4: 34, 2: 24, 1: 14}, wide=4)
    return _coloured(grey, _octaves(random, {32: 40}, wide=4), 4)


def _bark(random: Random) -> Pixels:
    grey = _octaves(random, {32: 20, 16: 24, 8: 30, 4: 34, 2: 30, 1: 20}, high=4)
    return _coloured(grey, _octaves(random, {32: 40, 8: 20}), 5)


#: Makers of tiles, RGB (T, T, 3), by what they show; leaves have a fourth channel.
MAKERS: dict[TextureName, Callable[[Random], Pixels]] = {
    'noise': _noise,
    'rough': _rough,
    'leaves': _leaves,
    'grass': _grass,
    'stones': _stones,
    'bricks': _bricks,
    'boards': _boards,
    'water': _water,
    'bark': _bark,
    'fur': _fur,
    'tiles': _tiles,
}
