"""Decoding of an image file into an RGB array."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attentive_gan.errors import UserError, shown

from .headers import MAX_PIXELS, bits_of, decoder_errors, open_content, orientation_of, read_bytes

ImageArray = NDArray[np.uint8]

#: Pillow's modes that stand for 8-bit colour or grey and convert to RGB without loss of range.
CONVERTIBLE = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'YCbCr', 'LAB')

#: How the stored array becomes upright, by EXIF orientation (EXIF 2.32, tag 0x0112).
UPRIGHT: dict[int, Callable[[NDArray], NDArray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a[:, ::-1].swapaxes(0, 1),
}


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> ImageArray:
    """Read an image as RGB, shape (H, W, 3), uint8.

    The header is checked before any pixel is decoded, and half an image is never returned.
    Grey, palette and bilevel images become three channels. CMYK is converted by Pillow's plain
    formula, without colour profile. 16 bits become 8 by `round(v / 257)`, so that 65535 gives 255.
    The EXIF orientation is applied. An alpha channel is dropped where it is opaque everywhere.
    Embedded colour profiles are ignored, as in every public implementation of raindrop removal.

    Args:
        path: File in PNG, JPEG, WebP, BMP or TIFF format; the content decides, not the suffix.
        max_pixels: Largest number of pixels that is decoded.

    Raises:
        UserError: The file is missing, empty, no image, truncated, damaged, too large, partly
            transparent, animated, or has 32 bits per channel.
    """
    content = read_bytes(path)
    opened = open_content(content, path, max_pixels)
    with decoder_errors(path, 'decoding'), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Pillow warns about odd metadata, which we do not use
        opened.load()
        orientation = orientation_of(opened)
        deep = bits_of(opened, content[:32]) == 16
        image = _decode_deep(content, path) if deep else _decode_plain(opened, path)
    return np.array(UPRIGHT[orientation](image), order='C')  # a copy: Pillow's is read-only


def _decode_plain(opened: Image.Image, path: str | Path) -> ImageArray:
    """Convert an 8-bit image to RGB."""
    if opened.mode not in CONVERTIBLE:
        raise UserError(
            f'{shown(path)} has pixels of kind {opened.mode!r}, which is not 8 or 16 bits per channel. '
            f'Save it as an 8-bit image.'
        )
    if opened.has_transparency_data:
        _refuse_transparency(np.asarray(opened.convert('RGBA'))[..., 3].min(), 255, path)
    return np.asarray(opened.convert('RGB'))


def _decode_deep(content: bytes, path: str | Path) -> ImageArray:
    """Convert a 16-bit image to 8-bit RGB; Pillow would clip grey and cut off colour."""
    flags = cv2.IMREAD_UNCHANGED
    stored = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if stored is None or stored.dtype != np.uint16:
        raise UserError(
            f'{shown(path)} has a 16-bit layout that is not supported. Save it with 8 bits.'
        )
    if stored.ndim == 2:
        stored = stored[..., None]
    if stored.shape[2] in (2, 4):
        _refuse_transparency(stored[..., -1].min(), 65535, path)
        stored = stored[..., :-1]
    colour = np.broadcast_to(stored[..., ::-1], (*stored.shape[:2], 3))
    return ((colour.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _refuse_transparency(lowest: int, opaque: int, path: str | Path) -> None:
    if lowest < opaque:
        raise UserError(
            f'{shown(path)} has transparent pixels, which a photo behind wet glass cannot have. '
            f'Flatten it onto a background and save it without alpha channel.'
        )
