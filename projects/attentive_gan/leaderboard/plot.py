"""Plots of quality over cost, as coordinates for the page's template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .statistics import Mean
from .summary import Row, Summary

#: Size of a plot in SVG units, and the margins around the axes: left, right, top, bottom.
WIDTH, HEIGHT = 560, 340
MARGINS = (52, 18, 16, 46)
#: Height of a line of text in these units.
_LINE = 15
#: Ticks of a logarithmic axis within each power of ten, by how many powers it spans at most.
_TICKS = {1.2: (1, 1.5, 2, 3, 4, 5, 7), 2.5: (1, 2, 5), np.inf: (1,)}


@dataclass(frozen=True)
class Scale:
    """Maps values to coordinates.

    Attributes:
        low: Value at `start`.
        high: Value at `end`.
        start: Coordinate of the start of the axis.
        end: Coordinate of its end.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value.

        Example:
            >>> Scale(20.0, 30.0, 0.0, 100.0)(25.0)
            50.0
        """
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def plots(summary: Summary) -> list[dict[str, Any]]:
    """Return one plot per protocol and measured cost."""
    axes = {
        'gmacs': 'GMACs per image (logarithmic)',
        'milliseconds': 'milliseconds per image (logarithmic)',
    }
    present = [key for key in axes if any(_cost(row, key) for row in summary.rows)]
    return [
        _plot(summary, protocol, key, axes[key])
        for protocol in summary.scoring.protocols
        for key in present
    ]


def _cost(row: Row, key: str) -> float | None:
    return getattr(row.result.cost, key, None)


def _plot(summary: Summary, protocol: str, key: str, axis: str) -> dict[str, Any]:
    """Return points, lines and ticks of one plot."""
    entries = [
        (row.result.name, mean, _cost(row, key))
        for row in summary.rows
        if (mean := row.result.means.get(f'{protocol}_psnr')) and np.isfinite(mean.mean)
    ]
    left, right, top, bottom = MARGINS
    ends = [end for _, mean, _ in entries for end in (mean.low, mean.high)]
    pad = max(0.08 * (max(ends) - min(ends)), 0.05) if ends else 1.0
    low, high = (min(ends) - pad, max(ends) + pad) if ends else (0.0, 1.0)
    vertical = Scale(low, high, HEIGHT - bottom, top)
    costs = [np.log10(cost) for _, _, cost in entries if cost]
    low, high = (min(costs) - 0.25, max(costs) + 0.25) if costs else (0.0, 1.0)
    horizontal = Scale(low, high, left, WIDTH - right)
    points = [
        _point(name, mean, cost, horizontal, vertical) for name, mean, cost in entries if cost
    ]
    lines = [_line(name, mean, vertical) for name, mean, cost in entries if not cost]
    _spread(points)
    _spread(lines)
    return {
        'protocol': protocol, 'axis': axis, 'width': WIDTH, 'height': HEIGHT, 'left': left,
        'right': WIDTH - right, 'top': top, 'bottom': HEIGHT - bottom,
        'points': points, 'lines': lines, 'x_ticks': _log_ticks(horizontal),
        'y_ticks': _ticks(vertical),
    }  # fmt: skip


def _point(
    name: str, mean: Mean, cost: float, horizontal: Scale, vertical: Scale
) -> dict[str, Any]:
    """Return the point of an entry with its interval."""
    x, y = horizontal(float(np.log10(cost))), vertical(mean.mean)
    return {
        'name': name, 'x': x, 'y': y, 'text_y': y, 'low': vertical(mean.low),
        'high': vertical(mean.high), 'on_left': x > WIDTH * 0.68,
        'title': f'{name}: {mean.mean:.2f} dB, {cost:.3g}',
    }  # fmt: skip


def _line(name: str, mean: Mean, vertical: Scale) -> dict[str, Any]:
    """Return the horizontal line of an entry without cost."""
    y = vertical(mean.mean)
    return {'name': name, 'y': y, 'text_y': y - 4, 'title': f'{name}: {mean.mean:.2f} dB'}


def _spread(marks: list[dict[str, Any]]) -> None:
    """Move labels down until none of them overlap."""
    previous = -np.inf
    for mark in sorted(marks, key=lambda mark: mark['text_y']):
        mark['text_y'] = round(max(mark['text_y'], previous + _LINE), 1)
        previous = mark['text_y']


def _ticks(scale: Scale) -> list[dict[str, Any]]:
    """Return round values of a linear axis, about five."""
    raw = (scale.high - scale.low) / 5
    power = 10 ** np.floor(np.log10(raw))
    step = next(float(factor * power) for factor in (1, 2, 5, 10) if factor * power >= raw)
    digits = max(0, int(-np.floor(np.log10(step))))
    first = np.ceil(scale.low / step)
    values = [float((first + index) * step) for index in range(12)]
    return [
        {'at': scale(value), 'text': f'{value:.{digits}f}'}
        for value in values
        if value <= scale.high
    ]


def _log_ticks(scale: Scale) -> list[dict[str, Any]]:
    """Return round values of a logarithmic axis, more of them where it is short."""
    powers = range(int(np.floor(scale.low)), int(np.ceil(scale.high)) + 1)
    factors = next(ticks for most, ticks in _TICKS.items() if scale.high - scale.low <= most)
    values = [factor * 10.0**power for power in powers for factor in factors]
    inside = [value for value in values if scale.low <= np.log10(value) <= scale.high]
    return [{'at': scale(float(np.log10(value))), 'text': f'{value:g}'} for value in inside]
