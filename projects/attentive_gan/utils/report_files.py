"""Strict JSON, and CSV that is safe to open in a spreadsheet."""

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
    r"""Return strict JSON, which has no token for infinity: non-finite numbers become null.

    Examples:
        >>> to_json([1.5, float('inf')])
        '[\n  1.5,\n  null\n]\n'
    """
    return json.dumps(_finite(report), indent=2, allow_nan=False) + '\n'


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    r"""Return rows as CSV; text that a spreadsheet would take for a formula is prefixed with '.

    Args:
        rows: At least one row; all have the keys of the first, which become the header.

    Examples:
        >>> to_csv([{'name': '=A1', 'psnr': 21.5}])
        "name,psnr\n'=A1,21.5\n"
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator='\n')
    writer.writeheader()
    writer.writerows({key: _quoted(value) for key, value in row.items()} for row in rows)
    return buffer.getvalue()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _quoted(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
