"""The format in which the result of an image is written if the image's own is only read."""

from __future__ import annotations

from pathlib import Path

from attentive_gan.errors import UserError

from .animation import is_animation
from .headers import MAX_PIXELS, read_header


def suggested_suffix(path: str | Path) -> str:
    """Return the suffix for the result of an image whose format cannot hold it, or is only read.

    Args:
        path: The image, such as a HEIC photo; its header is read.

    Returns:
        `.gif` for an animated GIF, `.jpg` for photos of phones and the own suffix for a BMP, both of 8 bits
        without opacity, else `.png`, which stores everything.
    """
    if is_animation(path):
        return '.gif' if Path(path).suffix.lower() == '.gif' else '.png'
    is_bmp = Path(path).suffix.lower() == '.bmp'
    try:
        header = read_header(path, max_pixels=1000 * MAX_PIXELS)
    except UserError:  # reported when the file is read
        return Path(path).suffix if is_bmp else '.png'
    if is_bmp and header.bits == 8 and header.mode != 'RGBA':
        return Path(path).suffix
    photo = header.format in ('HEIC', 'AVIF')
    return '.jpg' if photo and header.bits == 8 and not header.mode.endswith('A') else '.png'
