"""JSON and CSV text of reports and of score records."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

#: A cell that starts with one of these is a formula to a spreadsheet.
_FORMULA_STARTS = ('=', '+', '-', '@', '\t', '\r')


def to_json(report: Any) -> str:
    """Return strict JSON; infinity and NaN, which JSON cannot write, become null.

    Example:
        >>> print(to_json({'psnr': float('inf')}), end='')
        {
          "psnr": null
        }
    """
    return json.dumps(_strict(report), indent=2, allow_nan=False) + '\n'


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as CSV; text that a spreadsheet would run as a formula is quoted with '.

    Args:
        records: Records with equal keys, at least one.

    Example:
        >>> print(to_csv([{'name': '=1+1', 'psnr': 30.5}]), end='')
        name,psnr
        '=1+1,30.5
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(records[0]), lineterminator='\n')
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in record.items()} for record in records)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_STARTS)
    return f"'{value}" if is_formula else value
