"""Places, sizes and shapes of the drops on the glass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .exact import smooth_field
from .parameters import RaindropParameters
from .sprites import ODD_SHAPES, SHAPES, STEEP_SHAPES, encoded_ranks, size_class

#: Cells of the map of the drops' density.
_CELLS = (24, 36)

_RADII = (0.15, 2.6)  # mm; smallest and largest main drop (larger ones run down)
_FINE_RADII = (0.04, 0.5)
_MOST_DROPS = 20_000

#: Number of drops that a running drop leaves above itself.
_TRAIL = 6

#: Largest number of drops that make up a streak.
_STREAK = 24


@dataclass(frozen=True)
class Drops:
    """Drops on a glass, each array (n,), in the order in which they are placed."""

    down: NDArray[np.int64]
    """Row of the middle, in pixels of the glass."""
    across: NDArray[np.int64]
    """Column of the middle."""
    size: NDArray[np.int64]
    """Class of size (`sprites.size_class`)."""
    shape: NDArray[np.int64]
    """Number of the shape."""
    rank: NDArray[np.int64]
    """Rank of each drop where drops overlap, encoded (`sprites.encoded_ranks`)."""


def place_drops(
    size: tuple[int, int], scale: float, margin: float, parameters: RaindropParameters
) -> Drops:
    """Scatter drops until they cover the wanted share of the glass.

    Args:
        size: (height, width) of the glass in pixels.
        scale: Pixels per mm on the glass.
        margin: Width in pixels of the strip around the glass in which drops are placed too.
        parameters: Coverage, radii, unevenness, trails and seed.
    """
    random = np.random.default_rng([parameters.seed, 4])
    height, width = size[0] + 2 * margin, size[1] + 2 * margin
    area = height * width / scale**2
    density = _density(random, parameters.unevenness)
    main = _radii(
        random,
        area * parameters.coverage * 1.1,
        parameters.radius_median,
        parameters.radius_spread,
        _RADII,
    )
    fine = _radii(
        random, area * parameters.fine_coverage, parameters.fine_radius, 0.35, _FINE_RADII
    )
    radius = np.concatenate([main, fine])
    down, across = _places(random, density, len(radius), height, width)
    shape = random.integers(0, SHAPES - ODD_SHAPES, len(radius))
    odd = (radius > 1.1) & (random.random(len(radius)) < 0.35)
    shape[odd] = random.integers(SHAPES - ODD_SHAPES, SHAPES, int(odd.sum()))
    runs = (radius > 1.2 * parameters.radius_median) & (
        random.random(len(radius)) < parameters.trails
    )
    trails = _trails(random, down[runs], across[runs], radius[runs] * scale)
    down, across, pixels = (
        np.concatenate([own, trail])
        for own, trail in zip((down, across, radius * scale), trails, strict=True)
    )
    shape = np.concatenate([shape, random.integers(0, SHAPES - ODD_SHAPES, len(trails[0]))])
    drops: tuple[NDArray[Any], ...] = (down, across, pixels, shape)
    if parameters.steep or parameters.streaks:
        drops = _running(drops, len(main), parameters)
    down, across, pixels, shape = drops
    return Drops(
        down=np.floor(np.round(down - margin, 6)).astype(np.int64),
        across=np.floor(np.round(across - margin, 6)).astype(np.int64),
        size=size_class(pixels),
        shape=shape,
        rank=encoded_ranks(random.integers(0, 256, len(pixels))),
    )


def _density(random: np.random.Generator, unevenness: float) -> NDArray[np.float64]:
    """Return the relative density of drops in each cell, (24, 36)."""
    rows, columns = _CELLS
    field = smooth_field(random.random((5, 6)), np.linspace(0, 1, rows), np.linspace(0, 1, columns))
    spread = (field - field.min()) / (field.max() - field.min())
    return np.asarray(1 - unevenness + unevenness * spread)


def _radii(
    random: np.random.Generator,
    area: float,
    median: float,
    spread: float,
    limits: tuple[float, float],
) -> NDArray[np.float64]:
    """Sample log-normal radii in mm until the drops' area in mm^2 is reached, as nearly as possible."""
    mean_area = np.pi * np.clip(median, *limits) ** 2
    count = int(min(_MOST_DROPS, 3 * area / mean_area + 8))
    radii = np.clip(median * np.exp(spread * random.standard_normal(count)), *limits)
    total = np.cumsum(np.pi * np.round(radii, 6) ** 2)
    return radii[: int(np.searchsorted(total - np.pi * radii**2 / 2, area))]


def _places(
    random: np.random.Generator,
    density: NDArray[np.float64],
    count: int,
    height: float,
    width: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sample places by density: a cell by its weight, then anywhere within it."""
    rows, columns = density.shape
    total = np.cumsum(density.ravel())
    cell = np.searchsorted(total, random.random(count) * total[-1], side='right')
    cell = np.minimum(cell, rows * columns - 1)
    within = random.random((2, count))
    down = (cell // columns + within[0]) * (height / rows)
    across = (cell % columns + within[1]) * (width / columns)
    return down, across


def _trails(
    random: np.random.Generator,
    down: NDArray[np.float64],
    across: NDArray[np.float64],
    radius: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Return places and radii of the drops that running drops have left above themselves."""
    count = (len(radius), _TRAIL)
    sizes = radius[:, None] * np.cumprod(random.uniform(0.6, 0.9, count), axis=1)
    steps = sizes * random.uniform(1.8, 3.2, count)
    rows = down[:, None] - np.cumsum(steps, axis=1)
    columns = across[:, None] + np.cumsum(sizes * random.uniform(-0.4, 0.4, count), axis=1)
    return rows.ravel(), columns.ravel(), 0.7 * sizes.ravel()


def _running(
    drops: tuple[NDArray[Any], ...], main: int, parameters: RaindropParameters
) -> tuple[NDArray[Any], ...]:
    """Make some of the first `main` drops steep, and let some run down, with streaks above them.

    Args:
        drops: Row and column of the middle, radius in pixels, and shape of each drop.
        main: Number of drops of the main population, which come first.
        parameters: Shares and seed.
    """
    random = np.random.default_rng([parameters.seed, 12])
    down, across, pixels, shape = drops
    steep = random.random(main) < parameters.steep
    shape[:main][steep] = random.integers(SHAPES, SHAPES + STEEP_SHAPES, int(steep.sum()))
    large = pixels[:main] > 1.3 * np.median(pixels[:main]) if main else np.zeros(0, bool)
    runs = np.flatnonzero(large & (random.random(main) < parameters.streaks))
    size = (len(runs), _STREAK)
    radius = pixels[runs, None] * random.uniform(0.35, 0.8, (len(runs), 1))
    sizes = radius * np.cumprod(random.uniform(0.9, 1.06, size), axis=1)
    rows = down[runs, None] - np.cumsum(0.7 * sizes, axis=1)
    columns = across[runs, None] + np.cumsum(sizes * random.uniform(-0.12, 0.12, size), axis=1)
    kept = np.arange(_STREAK) < random.integers(5, _STREAK + 1, (len(runs), 1))
    added = (rows[kept], columns[kept], sizes[kept])
    odd = random.integers(0, SHAPES - ODD_SHAPES, int(kept.sum()))
    return tuple(np.concatenate(pair) for pair in zip(drops, (*added, odd), strict=True))
