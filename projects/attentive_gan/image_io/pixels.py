"""Conversions of pixel values."""

from __future__ import annotations

import numpy as np

from attentive_gan.utils.types import ImageArray, PixelArray


def to_uint8(pixels: PixelArray) -> ImageArray:
    """Convert 16-bit values to 8 bits by `round(v / 257)`, so that white stays white.

    Args:
        pixels: Array of any shape, uint8 (returned as it is) or uint16.

    Example:
        >>> to_uint8(np.array([0, 128, 129, 65535], np.uint16))
        array([  0,   0,   1, 255], dtype=uint8)
    """
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def to_grey(pixels: PixelArray) -> PixelArray:
    """Compute the BT.601 luma (ITU-R BT.601-7, section 2.5.1) of an image; equal channels stay as they are.

    Args:
        pixels: RGB (H, W, 3), uint8 or uint16.

    Returns:
        Luma (H, W) of the same type.

    Example:
        >>> to_grey(np.array([[[255, 0, 0], [9, 9, 9]]], np.uint8))
        array([[76,  9]], dtype=uint8)
    """
    grey = np.empty(pixels.shape[:2], pixels.dtype)
    for first in range(0, len(pixels), 256):  # the sum is float64: a few rows at a time
        rows = pixels[first : first + 256].astype(np.float64)
        grey[first : first + 256] = np.rint(rows @ (0.299, 0.587, 0.114))
    return grey


def divided(colours: PixelArray, alpha: PixelArray) -> PixelArray:
    """Divide colours (H, W, C) by their opacity (H, W) of the same type; where that is 0 they become 0."""
    top = np.iinfo(colours.dtype).max
    result = np.empty_like(colours)
    for first in range(0, len(colours), 256):  # float64: a few rows at a time
        part = alpha[first : first + 256, :, None].astype(np.float64)
        scaled = colours[first : first + 256] * (top / np.where(part > 0, part, np.inf))
        result[first : first + 256] = np.rint(scaled.clip(0, top))
    return result


def check_image(image: object) -> None:
    """Check that a value is an RGB image that can be restored.

    Args:
        image: The value.

    Raises:
        TypeError: It is no array.
        ValueError: It is not (H, W, 3), uint8 or uint16, or has no pixels.
    """
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f'an image must be an array (H, W, 3), RGB, uint8 or uint16; got {type(image).__name__}. '
            'Files are read by attentive_gan.image_io.read_image, or restored by attentive_gan.restore'
        )
    typed = image.dtype in (np.uint8, np.uint16)
    if image.ndim != 3 or image.shape[2] != 3 or not image.size or not typed:
        raise ValueError(
            f'an image must be (H, W, 3), uint8 or uint16; got {image.dtype} {image.shape}'
        )
