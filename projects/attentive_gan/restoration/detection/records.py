"""Records of what was found: lines of JSON, rows of CSV, and a text in the mask file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import ImageFile, read_image_file, write_image_file
from attentive_gan.image_io.image_file import Extras
from attentive_gan.utils.appended_file import AppendedFile
from attentive_gan.utils.report_files import to_csv
from attentive_gan.utils.strict_json import parse_json
from attentive_gan.utils.types import ImageArray

from .detector import Detection

#: Keyword of the text in a mask file (PNG specification, section 11.3.4.3).
_KEYWORD = b'Raindrops\0'


def write_mask(path: Path, mask: ImageArray, details: Mapping[str, Any]) -> None:
    """Write a mask as PNG that tells the verdict in a text.

    Args:
        path: The file.
        mask: (H, W), uint8.
        details: The verdict; goes to JSON.

    Raises:
        UserError: It cannot be written.
    """
    text = (b'tEXt', _KEYWORD + json.dumps(dict(details)).encode('ascii'))
    pixels = np.broadcast_to(mask[..., None], (*mask.shape, 3))
    write_image_file(path, ImageFile(pixels, grey=True, extras=Extras(png_chunks=(text,))))


def read_verdict(path: Path, max_pixels: int) -> dict[str, Any]:
    """Return the verdict in a mask file.

    Args:
        path: The file.
        max_pixels: Largest accepted number of pixels.

    Raises:
        UserError: It is no mask that `write_mask` wrote.
    """
    for kind, data in read_image_file(path, max_pixels).extras.png_chunks:
        if kind == b'tEXt' and data.startswith(_KEYWORD):
            try:
                found = parse_json(data.removeprefix(_KEYWORD).decode('ascii'))
            except ValueError:
                break
            if isinstance(found, dict) and isinstance(found.get('wet'), bool):
                return found
    raise UserError(
        f'{shown(path)} is no mask of this command, so it tells no verdict; choose --overwrite or another '
        'output folder'
    )


class Records:
    """Appends what was found in images and frames to files.

    Args:
        log: Gets a line of JSON for each frame; that of an input comes with its outcome.
        table: Gets a row of CSV for each image and frame.
    """

    def __init__(self, log: AppendedFile, table: AppendedFile) -> None:
        self._log, self._table = log, table

    def add_image(self, source: Path, found: Detection) -> None:
        """Record an image."""
        self._write_row(_row(source, None, None, found))

    def add_frame(self, source: object, number: int, time: float, found: Detection) -> None:
        """Record a frame.

        Args:
            source: The video.
            number: Number of the frame, from 0.
            time: Its time in seconds.
            found: What was found.
        """
        row = _row(source, number, round(time, 3), found)
        self._log.write(json.dumps(row) + '\n')
        self._write_row(row)

    def _write_row(self, row: dict[str, Any]) -> None:
        header, line = to_csv([row | {'wet': int(row['wet'])}]).split('\n', 1)
        self._table.write(f'{header}\n{line}' if self._table.is_empty else line)


def _row(source: object, frame: int | None, time: float | None, found: Detection) -> dict[str, Any]:
    return {'source': str(source), 'frame': frame, 'seconds': time} | verdict(found)


def verdict(found: Detection) -> dict[str, Any]:
    """Return what is recorded of a detection."""
    return {
        'coverage': round(found.coverage, 4),
        'changed': round(found.changed, 4),
        'wet': found.wet,
    }
