"""Many small images on one sheet, with captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from attentive_gan.utils.types import ImageArray

from .resizing import resize

_MARGIN = 6
_TEXT_HEIGHT = 22
_FONT_SIZE = 14
_NARROWEST = 120
_BACKGROUND = 250
_INK = (40, 40, 40)


def contact_sheet(
    headings: Sequence[str], rows: Sequence[tuple[str, Sequence[ImageArray]]], height: int = 180
) -> ImageArray:
    """Lay images out in rows, with one caption per row and one heading per column.

    Args:
        headings: Text above each column.
        rows: Per row a caption and its images, RGB (H, W, 3) or grey (H, W), uint8; as many as
            there are headings. All images of a row have one size.
        height: Height in pixels to which larger images are shrunk. Smaller ones are enlarged by a
            whole number where that fits, without smoothing.

    Returns:
        The sheet, RGB (H, W, 3), uint8.

    Raises:
        ValueError: There are no rows, or a row has another number of images than there are
            headings.
    """
    if not rows or any(len(images) != len(headings) for _, images in rows):
        raise ValueError('a contact sheet needs rows with one image per heading')
    fitted = [(caption, [_fitted(image, height) for image in row]) for caption, row in rows]
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
        for index, image in enumerate(row):
            place = (_MARGIN + index * column, top + _TEXT_HEIGHT)
            sheet.paste(Image.fromarray(image), place)
        top += row[0].shape[0] + _TEXT_HEIGHT
    return np.asarray(sheet)


def _fitted(image: ImageArray, height: int) -> ImageArray:
    """Shrink an image by area averaging or enlarge it by a whole number; make grey ones RGB."""
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.shape[0] > height:
        width = max(1, round(image.shape[1] * height / image.shape[0]))
        image = resize(image, (height, width))
    times = max(1, height // image.shape[0])
    return np.ascontiguousarray(image.repeat(times, axis=0).repeat(times, axis=1))


def _printable(text: str) -> str:
    """Replace what would break a caption's line."""
    return ''.join(letter if letter.isprintable() else '?' for letter in text)
