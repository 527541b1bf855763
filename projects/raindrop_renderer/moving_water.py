"""Raindrops over time: they stay, land and go, run down, or are wiped away.

All is a function of the time alone, so any frame of a video can be rendered without those before it, and a
video may be as long as one likes. The blade of a wiper is not drawn, and mist and film stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .errors import RaindropOptionError
from .exact import whole
from .placement import Drops
from .sprites import SIZE_RATIO, radius_of

Water = Literal['fixed', 'forming', 'running', 'wiped']

#: What the water on the glass can do.
WATERS: tuple[Water, ...] = get_args(Water)

#: A drop that forms is there for this share of its cycle in seconds, and grows in its first part.
_CYCLE, _THERE = 4.0, 0.75
_GROWS_IN, _BORN = 0.4, 0.4
#: Share of the drops that are large enough to run, share of these that do, and their speed in mm/s.
_LARGE, _RUN = 0.15, 0.6
_SPEEDS = (15.0, 60.0)
#: Time in seconds for which the track of a running drop stays free of other drops.
_TRACK = 0.8
#: Drops that a running one leaves in its track: their distance and radius in its radii, and their number.
_TRAIL_STEP, _TRAIL_RADIUS, _TRAIL = 2.6, 0.35, 8
#: Start of the first sweep of the wiper, period and duration of sweeps in seconds, slope of the blade.
_FIRST_SWEEP, _PERIOD, _SWEEP, _SLOPE = 0.25, 0.9, 0.3, 0.3


@dataclass(frozen=True)
class MovingWater:
    """What the water does, and at which time it is seen.

    Raises:
        RaindropOptionError: A field is out of its range.

    Example:
        >>> MovingWater('dripping')
        Traceback (most recent call last):
        raindrop_renderer.errors.RaindropOptionError: water must be one of ('fixed', 'forming', 'running', 'wiped'); got 'dripping'.
    """  # noqa: E501

    kind: Water = 'fixed'
    """`fixed`: drops stay. `forming`: they land, grow, and are gone after some seconds. `running`: large
    ones run down and take others with them. `wiped`: a wiper clears the glass, on which others land."""
    seconds: float = 0.0
    """Time since the video began, 0 or more."""

    def __post_init__(self) -> None:
        if self.kind not in WATERS:
            raise RaindropOptionError(f'water must be one of {WATERS}; got {self.kind!r}.')
        if not 0 <= self.seconds < 1e6:
            raise RaindropOptionError(f'seconds must be within 0 to 1e6; got {self.seconds}.')

    def shown(
        self, down: NDArray[np.int64], across: NDArray[np.int64], size: tuple[int, int], seed: int
    ) -> NDArray[np.bool_]:
        """Return which drops (n,) are on the glass.

        Args:
            down: Rows of their middles, in pixels of the glass.
            across: Columns likewise.
            size: (height, width) of the glass in pixels.
            seed: Seed of the times at which drops land.
        """
        if self.kind == 'forming':
            return self._phase(len(down), seed) < _THERE * _CYCLE
        if self.kind == 'wiped':
            delay = np.random.default_rng([seed, 14]).random(len(down)) * _PERIOD
            return np.asarray(self._since_wiped(down, across, size) >= delay)
        return np.ones(len(down), bool)

    def drops(self, drops: Drops, size: tuple[int, int], scale: float, seed: int) -> Drops:
        """Return the drops at the time.

        Args:
            drops: Drops as they are placed at first.
            size: (height, width) of the glass in pixels.
            scale: Pixels per mm on the glass.
            seed: Seed of times, speeds and of which drops move.
        """
        if self.kind == 'fixed':
            return drops
        if self.kind == 'running':
            return _running(drops, self.seconds, size, scale, seed)
        if self.kind == 'forming':
            age = self._phase(len(drops.down), seed)
            share = np.minimum(1, _BORN + (1 - _BORN) / _GROWS_IN * age)
            smaller = whole(np.round(-np.log(share) / np.log(SIZE_RATIO), 6)).astype(np.int64)
            drops = replace(drops, size=np.maximum(0, drops.size - smaller))
        return _chosen(drops, self.shown(drops.down, drops.across, size, seed))

    def _phase(self, count: int, seed: int) -> NDArray[np.float64]:
        """Return the seconds since each drop's cycle began."""
        start = np.random.default_rng([seed, 13]).random(count) * _CYCLE
        return np.asarray(np.mod(self.seconds + start, _CYCLE))

    def _since_wiped(
        self, down: NDArray[np.int64], across: NDArray[np.int64], size: tuple[int, int]
    ) -> NDArray[np.float64]:
        """Return the seconds since the blade passed places (n,), infinity before it did."""
        place = np.clip((across + _SLOPE * down) / (size[1] + _SLOPE * size[0]), 0, 1)
        since = np.full(len(down), np.inf)
        last = int((self.seconds - _FIRST_SWEEP) // _PERIOD)
        for sweep in range(max(0, last - 1), last + 1):
            way = place if sweep % 2 == 0 else 1 - place
            passed = self.seconds - (_FIRST_SWEEP + sweep * _PERIOD + _SWEEP * way)
            since = np.where(passed >= 0, np.minimum(since, passed), since)
        return since


def _chosen(drops: Drops, mask: NDArray[np.bool_]) -> Drops:
    return Drops(*(part[mask] for part in _parts(drops)))


def _parts(drops: Drops) -> tuple[NDArray[Any], ...]:
    return drops.down, drops.across, drops.size, drops.shape, drops.rank


def _running(drops: Drops, seconds: float, size: tuple[int, int], scale: float, seed: int) -> Drops:
    """Let large drops run down; from the bottom they begin again at the top."""
    random = np.random.default_rng([seed, 15])
    count = len(drops.down)
    by_size = np.sort(drops.size)
    large = drops.size >= by_size[int((1 - _LARGE) * count) :].min(initial=10**6)
    runs = np.flatnonzero(large & (random.random(count) < _RUN))
    speeds = random.uniform(*_SPEEDS, count)[runs] * scale
    radius = np.array([radius_of(int(k)) for k in drops.size[runs]])
    # The glass, with a strip above and below in which drops are out of sight.
    margin = 2 * radius.max(initial=1) + 2
    length = size[0] + 2 * margin
    path = np.mod(drops.down[runs] + margin + speeds * seconds, length)
    down = np.floor(np.round(path - margin, 6)).astype(np.int64)
    free = np.ones(count, bool)
    free[runs] = False
    for number, row, reach, speed in zip(runs, down, radius, speeds, strict=True):
        behind = np.mod(row - drops.down, length)
        aside = np.abs(drops.across - drops.across[number])
        free &= ~((behind < speed * _TRACK) & (aside < reach))
    trail = _trail(down, drops, runs, radius, speeds)
    moved = replace(_chosen(drops, np.isin(np.arange(count), runs)), down=down)
    parts = zip(*(_parts(d) for d in (_chosen(drops, free), trail, moved)), strict=True)
    return Drops(*(np.concatenate(part) for part in parts))


def _trail(
    down: NDArray[np.int64],
    drops: Drops,
    runs: NDArray[np.int64],
    radius: NDArray[np.float64],
    speeds: NDArray[np.float64],
) -> Drops:
    """Return the drops that stay in the tracks of running ones, at places that do not move."""
    step = np.maximum(1, np.rint(_TRAIL_STEP * radius)).astype(np.int64)[:, None]
    places = (down[:, None] // step - np.arange(1, _TRAIL + 1)) * step
    recent = (down[:, None] - places) < np.maximum(step, speeds[:, None] * _TRACK)
    smaller = round(float(np.log(_TRAIL_RADIUS) / np.log(SIZE_RATIO)))
    repeated = [
        np.repeat(part[runs], _TRAIL).reshape(recent.shape)[recent] for part in _parts(drops)[1:]
    ]
    across, sizes, shapes, ranks = repeated
    return Drops(places[recent], across, np.maximum(0, sizes + smaller), shapes, ranks)
