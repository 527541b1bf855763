"""Decoding of an image file, step by step: open, decode, split off alpha, turn upright.

8-bit files are decoded by Pillow. 16-bit PNG files are decoded by OpenCV, as Pillow clips grey and
truncates colour to 8 bits. TIFF files are decoded by `tiff_decoding`, and by Pillow where it says so.
HEIC and deep AVIF are decoded by `heif`.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import PixelArray

from .bmp import START as BMP_START
from .bmp import decode_bit_fields, read_bit_fields
from .headers import OpenedImage, decoder_errors, open_image
from .heif import decode_deep_avif, decode_heic
from .png_chunks import transparent_colour
from .tiff_decoding import decode_tiff, is_decoded_here

#: Pillow's modes of 8-bit colour or grey, which convert to RGB without loss of range.
_CONVERTIBLE = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'YCbCr', 'LAB')


@dataclass(frozen=True)
class Decoded:
    """A decoded file."""

    pixels: PixelArray
    """RGB (H, W, 3), uint8 or uint16, upright; contiguous, with memory of its own."""
    alpha: PixelArray | None
    """Opacity (H, W) of the same type; None if the file has none."""
    opened: OpenedImage
    """The file's header; its `image` has the metadata."""


def decode(content: bytes, path: str | Path, max_pixels: int) -> Decoded:
    """Decode an image file; the header is checked before any pixel is decoded.

    Args:
        content: Bytes of the file.
        path: Its name, for messages.
        max_pixels: Largest accepted number of pixels.

    Raises:
        UserError: The content is empty, no image, truncated, damaged, too large, animated, or has 32 bits
            per channel.
    """
    opened = open_image(io.BytesIO(content), path, max_pixels)
    image, layout, orientation = opened.image, opened.layout, opened.orientation
    with decoder_errors(path, 'decoding'), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Pillow warns about unusual metadata
        if layout is not None and is_decoded_here(layout):
            colours, alpha = decode_tiff(content, layout, path)
        elif (fields := read_bit_fields(content[:BMP_START])) is not None:
            colours, alpha = decode_bit_fields(content, fields, path)
        elif opened.format == 'HEIC':
            colours, alpha = decode_heic(content, path)
        elif opened.format == 'AVIF' and opened.bits == 16:
            colours, alpha = decode_deep_avif(content, path)
        elif image is not None and opened.bits == 8:
            image.load()
            colours, alpha = _plain_channels(image, path)
            if layout is not None:
                orientation = 1  # Pillow turns a TIFF upright itself
        else:
            colours, alpha = _deep_channels(content, path)
        if opened.format == 'PNG' and (clear := transparent_colour(content)) is not None:
            top = np.iinfo(colours.dtype).max
            alpha = np.where((colours == clear).all(2), 0, top).astype(colours.dtype)
    pixels = np.require(upright(colours, orientation), requirements=['C', 'W'])
    if alpha is not None:
        alpha = np.ascontiguousarray(upright(alpha, orientation))
    return Decoded(pixels, alpha, opened)


def _plain_channels(image: Image.Image, path: str | Path) -> tuple[PixelArray, PixelArray | None]:
    """Return colours (H, W, 3) and opacity (H, W) of a loaded 8-bit image."""
    if image.mode == 'La':  # multiplied by opacity
        image = image.convert('LA')
    if image.mode not in _CONVERTIBLE:
        raise UserError(
            f'{shown(path)} has pixels of mode {image.mode!r}, which is not 8 or 16 bits per channel. '
            f'Save it as an 8-bit image.'
        )
    if image.has_transparency_data:
        channels = np.asarray(image.convert('RGBA'))
        return channels[..., :3], channels[..., 3]
    return np.array(image if image.mode == 'RGB' else image.convert('RGB')), None


def _deep_channels(content: bytes, path: str | Path) -> tuple[PixelArray, PixelArray | None]:
    """Return colours (H, W, 3) and opacity (H, W) of a 16-bit PNG."""
    stored = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise UserError(
            f'{shown(path)} is truncated or damaged (decoding). Copy the file again from its source.'
        )
    # (H, W, C); BGR for colour
    channels = stored.reshape(*stored.shape[:2], -1).astype(np.uint16, copy=False)
    colours, alpha = channels, None
    if channels.shape[2] in (2, 4):
        colours, alpha = channels[..., :-1], channels[..., -1]
    return np.broadcast_to(colours[..., ::-1], (*stored.shape[:2], 3)), alpha


def upright(stored: PixelArray, orientation: int) -> PixelArray:
    """Return a view of stored pixels (H, W, ...) turned upright.

    Args:
        stored: Pixels as they are stored.
        orientation: EXIF orientation, 1 to 8 (EXIF 2.32, tag 0x0112).
    """
    if orientation in (3, 4, 6, 7):
        stored = stored[::-1]
    if orientation in (2, 3, 7, 8):
        stored = stored[:, ::-1]
    return stored.swapaxes(0, 1) if orientation >= 5 else stored
