"""Tables of drops: coverage, transmission and refraction of each pixel, by shape and size.

A drop is a spherical cap: at distance q from its middle, in shares of its radius, its surface is inclined
by asin(q sin(contact angle)). Deviation and transmission depend on this slope alone, not on the drop's
size, so they are computed once per shape and size and are looked up when an image is rendered. Natural
outlines come from a few harmonics of the radius; about a sixth of the drops have merged from two or three
(smooth minimum of their distances); gravity moves the thickest place down.

A pixel is one 64-bit integer: coverage in the highest bits, then the drop's rank, transmission, and the
two deviations. So the larger of two numbers is the pixel of the drop that covers more of it, of equals
that of the drop that lies on top, and placing a drop is one maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .exact import whole
from .optics import CRITICAL_SLOPE, deviation, transmission

Sprite = NDArray[np.int64]

#: Number of shapes; the last `ODD_SHAPES` of them are long or bent, as large drops are.
SHAPES = 40
ODD_SHAPES = 8

#: Further shapes, with numbers from `SHAPES`, whose wide rims reflect all light.
STEEP_SHAPES = 16
_ALL_SHAPES = SHAPES + STEEP_SHAPES

#: Smallest radius in pixels, and ratio of one size to the next.
SMALLEST_RADIUS = 0.35
SIZE_RATIO = 1.15

#: Coverage and transmission of 1.
FULL = 4096

#: Deviations are whole numbers of 1/32 of a pixel of the environment map, which has this many degrees.
DEGREES_PER_PIXEL = 0.75
UNITS_PER_DEGREE = 32 / DEGREES_PER_PIXEL

#: Rows of one level of the environment map (see `environment.py`), in units of deviations.
LEVEL_UNITS = 176 * 32

#: Widths of the blur of each level of the environment map, in its pixels.
LEVEL_BLURS = (1, 5, 13, 29)

_COVERAGE_BIT, _RANK_BIT, _TRANSMISSION_BIT, _ACROSS_BIT = 48, 40, 27, 15
_OFFSET = 2048
_LARGEST_CACHED_RADIUS = 40.0
_SLOPE_STEPS = 64


@dataclass(frozen=True)
class Pixels:
    """Decoded pixels of a glass, each array (H, W)."""

    coverage: NDArray[np.int64]
    """0 to `FULL`."""
    transmission: NDArray[np.int64]
    """0 to `FULL`."""
    across: NDArray[np.int64]
    """Deviation to the right, 1/32 of a pixel of the environment map."""
    down: NDArray[np.int64]
    """Deviation downwards plus `LEVEL_UNITS` times the level, in the same unit."""


def decode(packed: Sprite) -> Pixels:
    """Take the four values of each pixel apart."""
    return Pixels(
        coverage=packed >> _COVERAGE_BIT,
        transmission=(packed >> _TRANSMISSION_BIT) & 0x1FFF,
        across=((packed >> _ACROSS_BIT) & 0xFFF) - _OFFSET,
        down=(packed & 0x7FFF) - _OFFSET,
    )


def encoded_ranks(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what to add to sprites for their ranks, 0 to 255, among drops that cover a pixel fully."""
    return order << _RANK_BIT


def size_class(radius: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the class of size nearest to each radius in pixels (ratio `SIZE_RATIO`), from 0."""
    steps = np.log(np.maximum(radius, SMALLEST_RADIUS) / SMALLEST_RADIUS) / np.log(SIZE_RATIO)
    return whole(steps).astype(np.int64)


def radius_of(size: int) -> float:
    """Return the radius of a class of size, pixels."""
    return SMALLEST_RADIUS * SIZE_RATIO**size


def sprite(shape: int, size: int) -> Sprite:
    """Return a drop as encoded pixels (n, n), n odd, with the drop's middle in the middle.

    Args:
        shape: 0 to `SHAPES` + `STEEP_SHAPES` - 1.
        size: Class of size, from 0 (see `size_class`).
    """
    small = radius_of(size) <= _LARGEST_CACHED_RADIUS
    return _cached(shape, size) if small else _made(shape, size)


#: Drops of the first so many classes of size fit into squares of this side, and are kept in one table.
SMALL_SIZES = 12
SMALL_SIDE = 9

_small_table = np.zeros((_ALL_SHAPES * SMALL_SIZES, SMALL_SIDE**2), np.int64)
_small_known = np.zeros(_ALL_SHAPES * SMALL_SIZES, np.bool_)


def small_sprites(shape: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return small drops as encoded pixels (n, `SMALL_SIDE`**2), each with its middle in the middle.

    Args:
        shape: Number of each shape, (n,).
        size: Class of each size, (n,), below `SMALL_SIZES`.
    """
    places = shape * SMALL_SIZES + size
    for place in np.unique(places[~_small_known[places]]).tolist():
        drop = sprite(*divmod(place, SMALL_SIZES))
        margin = (SMALL_SIDE - len(drop)) // 2
        _small_table[place] = np.pad(drop, margin).ravel()
        _small_known[place] = True
    return np.asarray(_small_table[places])


@dataclass(frozen=True)
class Shape:
    """Outline and profile of a drop of radius 1; see the module for the sources of the numbers."""

    contact_angle: float
    """Slope at the edge, degrees."""
    lobes: tuple[tuple[float, float, float], ...]
    """Drops that have merged: x and y of the middle, and radius."""
    harmonics: tuple[tuple[int, float, float], ...]
    """Outline: number of waves, depth as a share of the radius, phase in radians."""
    aspect: float
    """Width over height."""
    rotation: float
    """Rotation of the longer axis, radians."""
    sag: float
    """How far gravity has moved the thickest place down."""

    def distance(self, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        """Return the distance from the middle, 1 at the edge, at points relative to the middle."""
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        x = (cos * across + sin * down) / np.sqrt(self.aspect)
        y = (cos * down - sin * across) * np.sqrt(self.aspect)
        total = np.zeros_like(x)
        for left, top, radius in self.lobes:
            dx, dy = x - left, y - top
            turn = np.arctan2(dy, dx)
            outline = 1 + sum(
                depth * np.cos(waves * turn + phase) for waves, depth, phase in self.harmonics
            )
            total += np.exp(-_MERGING * np.hypot(dx, dy) / (radius * outline))
        q = np.maximum(-np.log(total) / _MERGING, 0)
        return np.asarray(q * (1 - self.sag * np.clip(down, -1.5, 1.5) * np.exp(-q * q)))


#: Sharpness of the smooth minimum by which drops merge.
_MERGING = 7.0


@lru_cache(maxsize=1)
def shapes() -> tuple[Shape, ...]:
    """Return the shapes, which are the same in every process."""
    return tuple(
        _shape(np.random.default_rng([number, 5]), number) for number in range(_ALL_SHAPES)
    )


def _shape(random: np.random.Generator, number: int) -> Shape:
    steep = number >= SHAPES
    odd = SHAPES - ODD_SHAPES <= number < SHAPES
    count = int(random.integers(2, 4)) if odd or random.random() < 0.15 else 1
    lobes = [(0.0, 0.0, 1.0)]
    for _ in range(count - 1):
        turn, size = random.uniform(0, 2 * np.pi), random.uniform(0.45, 0.85)
        reach = random.uniform(0.55, 0.95) * (1 + size) / 1.6
        lobes.append((reach * np.cos(turn), reach * np.sin(turn), size))
    # Merged drops keep the area of one: the pool's radii are those of single drops.
    scale = 1 / np.sqrt(sum(size**2 for *_, size in lobes))
    depth = 2.0 if odd or steep else 1.0
    aspect = random.normal(-0.35, 0.25) if odd else random.normal(-0.06, 0.1)
    return Shape(
        contact_angle=random.uniform(56, 74) if steep else random.uniform(37, 57),
        lobes=tuple((x * scale, y * scale, size * scale) for x, y, size in lobes),
        harmonics=tuple(
            (waves, depth * abs(random.normal(0, 0.06 / (waves - 1))), random.uniform(0, 2 * np.pi))
            for waves in (2, 3, 4)
        ),
        aspect=float(np.exp(np.clip(aspect, -0.9, 0.4))),
        rotation=np.radians(random.normal(0, 20)),
        sag=random.uniform(0.05, 0.3) if steep else random.uniform(0, 0.12),
    )


@lru_cache(maxsize=4096)
def _cached(shape: int, size: int) -> Sprite:
    made = _made(shape, size)
    made.setflags(write=False)
    return made


def _made(number: int, size: int) -> Sprite:
    """Compute a drop with several points per pixel, and average its values over the covered ones."""
    shape, radius = shapes()[number], radius_of(size)
    points = int(np.clip(np.ceil(16 / radius), 1, 8))
    half = int(np.ceil(radius * 2.1 + 1))
    side = 2 * half + 1
    places = ((np.arange(side * points) + 0.5) / points - side / 2) / radius
    across, down = np.meshgrid(places, places)
    q = shape.distance(across, down)
    covered = np.clip((1 - q) * radius * points + 0.5, 0, 1)
    slope, out_x, out_y = _surface(shape, q, places[1] - places[0])
    bends, lights = _optics()
    bend = bends[slope] * UNITS_PER_DEGREE

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(values.reshape(side, points, side, points).sum(axis=(1, 3)))

    weight = mean(covered)
    safe = np.maximum(weight, 1e-9)
    coverage, light, dx, dy = (
        whole(values).astype(np.int64)
        for values in (
            weight / points**2 * FULL,
            mean(covered * lights[slope]) / safe * FULL,
            mean(-covered * bend * out_x) / safe,
            mean(-covered * bend * out_y) / safe,
        )
    )
    level = sum(radius < limit for limit in (12, 4.5, 1.8))
    packed = (
        (coverage << _COVERAGE_BIT)
        + (light << _TRANSMISSION_BIT)
        + ((dx + _OFFSET) << _ACROSS_BIT)
        + (dy + _OFFSET + level * LEVEL_UNITS)
    )
    packed[coverage == 0] = 0
    return _cropped(packed)


@lru_cache(maxsize=1)
def _optics() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return deviation (degrees) and transmission for each slope in steps of 1 / `_SLOPE_STEPS` degrees.

    Near the critical slope both change so fast that the last bit of a slope would decide.
    """
    slopes = np.arange(int(CRITICAL_SLOPE * _SLOPE_STEPS) + 1) / _SLOPE_STEPS
    return np.round(deviation(slopes), 6), np.round(transmission(slopes), 6)


def _surface(shape: Shape, q: np.ndarray, spacing: float) -> tuple[np.ndarray, ...]:
    """Return the slope's place in the tables, and the direction (x, y) in which the drop gets thinner."""
    bounded = np.minimum(q, 1)
    sine = np.sin(np.radians(shape.contact_angle)) * bounded
    steep = sine / np.sqrt(1 - sine**2)
    q_down, q_across = np.gradient(q, spacing)
    growth = np.maximum(np.hypot(q_across, q_down), 1e-9)
    slope = np.degrees(np.arctan(steep * np.minimum(growth, 1.5)))
    place = whole(np.minimum(slope * _SLOPE_STEPS, len(_optics()[0]) - 1)).astype(np.int64)
    return place, q_across / growth, q_down / growth


def _cropped(packed: Sprite) -> Sprite:
    """Cut away the empty margin, equally on all sides."""
    rows, columns = np.nonzero(packed)
    if len(rows) == 0:
        return packed[:1, :1]
    middle = len(packed) // 2
    reach = int(max(np.abs(rows - middle).max(), np.abs(columns - middle).max()))
    window = slice(middle - reach, middle + reach + 1)
    return np.ascontiguousarray(packed[window, window])
