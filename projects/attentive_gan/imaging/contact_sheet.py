"""Many small pictures on one sheet, with captions."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]

_MARGIN = 6
_TEXT_HEIGHT = 22
_FONT_SIZE = 14
_NARROWEST = 120
_BACKGROUND = 250
_INK = (40, 40, 40)


def contact_sheet(
    headings: Sequence[str], rows: Sequence[tuple[str, Sequence[Picture]]], height: int = 180
) -> Picture:
    """Lay pictures out in rows, with one caption per row and one heading per column.

    Args:
        headings: Text above each column.
        rows: Per row a caption and its pictures, RGB (H, W, 3) or grey (H, W), uint8; as many as
            there are headings. All pictures of a row have one size.
        height: Height in pixels to which larger pictures are shrunk. Smaller ones are enlarged by a
            whole number where that fits, without smoothing.

    Returns:
        The sheet, RGB (H, W, 3), uint8.

    Raises:
        ValueError: There are no rows, or a row has another number of pictures than there are
            headings.
    """
    if not rows or any(len(pictures) != len(headings) for _, pictures in rows):
        raise ValueError('a contact sheet needs rows with one picture per heading')
    fitted = [(caption, [_fitted(picture, height) for picture in row]) for caption, row in rows]
    column = max(_NARROWEST, *(row[0].shape[1] for _, row in fitted)) + _MARGIN
    total = sum(row[0].shape[0] + _TEXT_HEIGHT for _, row in fitted)
    size = (_MARGIN + column * len(headings), _TEXT_HEIGHT + total + _MARGIN)
    sheet = Image.new('RGB', size, (_BACKGROUND,) * 3)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_SIZE)
    for index, heading in enumerate(headings):
        pen.text((_MARGIN + index * column, 3), heading, _INK, font)
    top = _TEXT_HEIGHT
    for caption, row in fitted:
        pen.text((_MARGIN, top + 3), _printable(caption), _INK, font)
        for index, picture in enumerate(row):
            place = (_MARGIN + index * column, top + _TEXT_HEIGHT)
            sheet.paste(Image.fromarray(picture), place)
        top += row[0].shape[0] + _TEXT_HEIGHT
    return np.asarray(sheet)


def _fitted(picture: Picture, height: int) -> Picture:
    """Shrink a picture by area averaging or enlarge it by a whole number; make grey ones RGB."""
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[0] > height:
        width = max(1, round(picture.shape[1] * height / picture.shape[0]))
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(
            np.uint8
        )
    times = max(1, height // picture.shape[0])
    return np.ascontiguousarray(picture.repeat(times, axis=0).repeat(times, axis=1))


def _printable(text: str) -> str:
    """Replace what would break a caption's line."""
    return ''.join(letter if letter.isprintable() else '?' for letter in text)
