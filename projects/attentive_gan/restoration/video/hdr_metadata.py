"""Static metadata of HDR video (SMPTE ST 2086, CTA-861.3), from ffprobe to x265."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

#: Order of x265's option `master-display`, with ffprobe's names of the chromaticities.
_COLOURS = {'G': 'green', 'B': 'blue', 'R': 'red', 'WP': 'white_point'}


def mastering_display(side_data: Iterable[dict[str, Any]]) -> str:
    """Return the mastering display as x265 reads it; empty if it is not described whole.

    Args:
        side_data: ffprobe's `side_data_list`.
    """
    for data in side_data:
        if data.get('side_data_type') == 'Mastering display metadata':
            try:
                places = ''.join(
                    f'{letter}({_units(data[f"{name}_x"], 50_000)},{_units(data[f"{name}_y"], 50_000)})'
                    for letter, name in _COLOURS.items()
                )
                light = ','.join(_units(data[f'{end}_luminance'], 10_000) for end in ('max', 'min'))
            except (KeyError, ValueError, ZeroDivisionError):
                continue
            return f'{places}L({light})'
    return ''


def light_level(side_data: Iterable[dict[str, Any]]) -> str:
    """Return the largest light level and the largest mean of a frame; empty if there are none."""
    for data in side_data:
        if data.get('side_data_type') == 'Content light level metadata':
            return f'{int(data.get("max_content", 0))},{int(data.get("max_average", 0))}'
    return ''


def _units(value: str, per_one: int) -> str:
    return str(round(Fraction(value) * per_one))
