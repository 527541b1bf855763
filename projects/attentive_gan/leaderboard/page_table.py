"""Columns and cells of the page's main table."""

from __future__ import annotations

from typing import Any

import numpy as np

from .statistics import Mean
from .summary import Row, Summary

#: Text of a cell without a figure.
NONE = '\N{EN DASH}'
#: Figures of cost: key, title, unit, divisor, explanation.
_COSTS = (
    ('parameters', 'Parameters', 'millions', 1e6, 'all weights of the generator'),
    ('gmacs', 'GMACs', 'billions', 1.0, 'multiply-accumulates of one image'),
    ('milliseconds', 'Time', 'ms', 1.0, 'median of one image after a warm-up'),
    ('peak_gib', 'Memory', 'GiB', 1.0, 'peak of activations for one image'),
)


def header(summary: Summary) -> list[dict[str, str]]:
    """Return the columns: title, unit, protocol (or none), explanation, first direction of sorting."""
    columns = [_column('#', '', '', 'place by PSNR under qian', 'ascending')]
    columns.append(_column('Entry', '', '', 'name', 'ascending'))
    for name in summary.scoring.protocols:
        columns += [
            _column('PSNR', 'dB', name, 'mean over images with interval', 'descending'),
            _column(
                f'Δ to {summary.reference}', 'dB', name, 'paired difference of PSNR', 'descending'
            ),
            _column('SSIM', '', name, 'mean over images with interval', 'descending'),
        ]
    if _has_lpips(summary):
        columns.append(_column('LPIPS', 'lower is better', '', 'perceptual distance', 'ascending'))
    for key, title, unit, _, why in _COSTS:
        settings = _settings(summary, key)
        stated = f'{unit} · {next(iter(settings))}' if len(settings) == 1 else unit
        columns.append(_column(title, stated, '', why, 'ascending'))
    return columns


def table_cells(row: Row, summary: Summary) -> list[dict[str, Any]]:
    """Return a row's cells in the order of `header`, without those of place and name.

    A cell has `sort`, `text`, `interval`, `protocol`, and `bar`, the interval in per cent of the
    range of all rows, or None.
    """
    cells = []
    for name in summary.scoring.protocols:
        psnr, ssim = f'{name}_psnr', f'{name}_ssim'
        cells += [
            _score(row.result.means.get(psnr), name, 2, _range(summary, psnr)),
            _difference(row, summary, psnr),
            _score(row.result.means.get(ssim), name, 4, None),
        ]
    if _has_lpips(summary):
        cells.append(_score(row.result.means.get('lpips'), '', 4, None))
    for key, _, _, unit, _ in _COSTS:
        stated = _setting(row, key) if len(_settings(summary, key)) > 1 else ''
        cells.append(_plain(getattr(row.result.cost, key, None), unit, stated))
    return cells


def _column(title: str, unit: str, protocol: str, why: str, first: str) -> dict[str, str]:
    return {'title': title, 'unit': unit, 'protocol': protocol, 'why': why, 'first': first}


def _has_lpips(summary: Summary) -> bool:
    return any('lpips' in row.result.means for row in summary.rows)


def _range(summary: Summary, key: str) -> tuple[float, float]:
    """Return the ends of all intervals of a score."""
    means = [row.result.means.get(key) for row in summary.rows]
    ends = [end for mean in means if mean for end in (mean.low, mean.high) if np.isfinite(end)]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _score(
    mean: Mean | None,
    protocol: str,
    digits: int,
    limits: tuple[float, float] | None,
    sign: str = '',
) -> dict[str, Any]:
    """Return the cell of a mean with its interval."""
    if mean is None:
        return {'sort': '', 'text': NONE, 'interval': '', 'protocol': protocol, 'bar': None}
    if not np.isfinite(mean.mean):
        return {'sort': 1e9, 'text': '∞', 'interval': '', 'protocol': protocol, 'bar': None}
    form = f'{sign}.{digits}f'
    bar = None
    if limits:
        low, high = limits
        width = max(high - low, 1e-9)
        bar = [round(100 * (end - low) / width, 1) for end in (mean.low, mean.mean, mean.high)]
    return {
        'sort': mean.mean,
        'text': _minus(f'{mean.mean:{form}}'),
        'interval': _minus(f'{mean.low:{form}} to {mean.high:{form}}'),
        'protocol': protocol,
        'bar': bar,
    }


def _difference(row: Row, summary: Summary, key: str) -> dict[str, Any]:
    """Return the cell of a paired difference; the reference has none to itself."""
    protocol = key.partition('_')[0]
    if row.result.name == summary.reference:
        return {'sort': 0.0, 'text': 'reference', 'interval': '', 'protocol': protocol, 'bar': None}
    return _score(row.differences.get(key), protocol, 2, None, sign='+')


def _setting(row: Row, key: str) -> str:
    """Return size and device of a figure of cost; empty where there is none."""
    cost = row.result.cost
    if cost is None or getattr(cost, key) is None or key == 'parameters':
        return ''
    size = cost.setting.size
    return size if key == 'gmacs' else f'{size}, {row.result.run.device}'


def _settings(summary: Summary, key: str) -> set[str]:
    """Return the different settings of a figure in all rows."""
    return {setting for row in summary.rows if (setting := _setting(row, key))}


def _plain(value: float | None, unit: float, stated: str) -> dict[str, Any]:
    """Return the cell of a figure of cost, with its setting where rows differ in it."""
    text = NONE if value is None else _three_digits(value / unit)
    sort = '' if value is None else value
    return {'sort': sort, 'text': text, 'interval': stated, 'protocol': '', 'bar': None}


def _three_digits(value: float) -> str:
    """Return a number with three significant digits, without exponent.

    Example:
        >>> _three_digits(0.012345), _three_digits(1234.5)
        ('0.0123', '1234')
    """
    if value == 0:
        return '0'
    digits = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f'{value:.{digits}f}'


def _minus(text: str) -> str:
    """Return a number with a true minus sign."""
    return text.replace('-', '\N{MINUS SIGN}')
