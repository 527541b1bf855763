"""Columns and cells of the page's main table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .statistics import Mean
from .summary import Row, Summary

#: Columns of cost: attribute, title, unit, divisor, explanation.
_COSTS = (
    ('parameters', 'Parameters', 'millions', 1e6, 'all weights of the generator'),
    ('gmacs', 'GMACs', 'billions', 1.0, 'multiply-accumulates of one image'),
    ('milliseconds', 'Time', 'ms', 1.0, 'median of one image after a warm-up'),
    ('peak_gib', 'Memory', 'GiB', 1.0, 'peak of activations for one image'),
)


@dataclass(frozen=True)
class Column:
    """Head of a column.

    Attributes:
        title: Name of the score or cost.
        why: Explanation.
        first: First direction of sorting, 'ascending' or 'descending'.
        unit: Unit of the values.
        protocol: Protocol of a score.
    """

    title: str
    why: str
    first: str = 'ascending'
    unit: str = ''
    protocol: str = ''


@dataclass(frozen=True)
class Cell:
    """Cell of a row; by default one without a value.

    Attributes:
        sort: Value to sort by; empty cells are last.
        text: Value as text.
        interval: Interval, or setting of a cost, as text.
        protocol: Protocol of a score.
        bar: Low end, mean and high end of the interval, in per cent of the range of all rows.
    """

    sort: float | str = ''
    text: str = '\N{EN DASH}'
    interval: str = ''
    protocol: str = ''
    bar: tuple[float, ...] | None = None


#: Columns of scores that some rows have: key, head, decimal places.
_MORE = (
    ('lpips', Column('LPIPS', 'perceptual distance', unit='lower is better'), 4),
    (
        'ntire_score',
        Column('NTIRE', 'PSNR + 10 SSIM (both bt601) - 5 LPIPS', 'descending', 'score'),
        2,
    ),
    (
        'ntire_score_without_lpips',
        Column(
            'NTIRE, part', 'PSNR + 10 SSIM (both bt601): above the score, LPIPS is missing',
            'descending', 'without LPIPS',
        ),
        2,
    ),
)  # fmt: skip


def header(summary: Summary) -> list[Column]:
    """Return the columns of the table."""
    columns = [Column('#', 'place by PSNR under qian'), Column('Entry', 'name')]
    mean, gain = 'mean over images with interval', 'paired difference of PSNR'
    for name in summary.scoring.protocols:
        columns += [
            Column('PSNR', mean, 'descending', 'dB', name),
            Column(f'Δ to {summary.reference}', gain, 'descending', 'dB', name),
            Column('SSIM', mean, 'descending', '', name),
        ]
    columns += [column for key, column, _ in _MORE if _has(summary, key)]
    for key, title, unit, _, why in _measured_costs(summary):
        settings = _settings(summary, key)
        unit_and_setting = f'{unit} · {next(iter(settings))}' if len(settings) == 1 else unit
        columns.append(Column(title, why, unit=unit_and_setting))
    return columns


def table_cells(row: Row, summary: Summary) -> list[Cell]:
    """Return a row's cells in the order of `header`, without those of place and name."""
    means, cells = row.result.means, []
    for name in summary.scoring.protocols:
        psnr = f'{name}_psnr'
        difference = _score(row.differences.get(psnr), name, 2, sign='+')
        if row.result.name == summary.reference:
            difference = Cell(0.0, 'reference', protocol=name)
        cells += [
            _score(means.get(psnr), name, 2, _range(summary, psnr)),
            difference,
            _score(means.get(f'{name}_ssim'), name, 4),
        ]
    cells += [_score(means.get(key), '', digits) for key, _, digits in _MORE if _has(summary, key)]
    for key, _, _, unit, _ in _measured_costs(summary):
        setting = _setting(row, key) if len(_settings(summary, key)) > 1 else ''
        value = getattr(row.result.cost, key, None)
        text = Cell.text if value is None else _three_digits(value / unit)
        cells.append(Cell('' if value is None else value, text, setting))
    return cells


def _has(summary: Summary, key: str) -> bool:
    return any(key in row.result.means for row in summary.rows)


def _measured_costs(summary: Summary) -> list[tuple[str, str, str, float, str]]:
    """Return the columns of cost in which any row has a value."""
    costs = [row.result.cost for row in summary.rows]
    return [
        column
        for column in _COSTS
        if any(getattr(cost, column[0], None) is not None for cost in costs)
    ]


def _range(summary: Summary, key: str) -> tuple[float, float]:
    """Return the ends of all intervals of a score."""
    means = [mean for row in summary.rows if (mean := row.result.means.get(key))]
    ends = [end for mean in means for end in (mean.low, mean.high) if np.isfinite(end)]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _score(
    mean: Mean | None,
    protocol: str,
    digits: int,
    limits: tuple[float, float] | None = None,
    sign: str = '',
) -> Cell:
    """Return the cell of a mean with its interval."""
    if mean is None:
        return Cell(protocol=protocol)
    if not np.isfinite(mean.mean):
        return Cell(1e9, '∞', protocol=protocol)
    low, middle, high = (
        f'{value:{sign}.{digits}f}'.replace('-', '\N{MINUS SIGN}')
        for value in (mean.low, mean.mean, mean.high)
    )
    bar = None
    if limits:
        start, width = limits[0], max(limits[1] - limits[0], 1e-9)
        ends = (mean.low, mean.mean, mean.high)
        bar = tuple(round(100 * (end - start) / width, 1) for end in ends)
    return Cell(mean.mean, middle, f'{low} to {high}', protocol, bar)


def _setting(row: Row, key: str) -> str:
    """Return size and device of a measured cost; empty where there is none."""
    cost = row.result.cost
    if cost is None or getattr(cost, key) is None or key == 'parameters':
        return ''
    size = cost.setting.size
    return size if key == 'gmacs' else f'{size}, {row.result.run.device}'


def _settings(summary: Summary, key: str) -> set[str]:
    """Return the different settings of a cost in all rows."""
    return {setting for row in summary.rows if (setting := _setting(row, key))}


def _three_digits(value: float) -> str:
    """Return a number with three significant digits, without exponent.

    Example:
        >>> _three_digits(0.012345), _three_digits(1234.5)
        ('0.0123', '1234')
    """
    digits = max(0, 2 - int(np.floor(np.log10(abs(value))))) if value else 0
    return f'{value:.{digits}f}'
