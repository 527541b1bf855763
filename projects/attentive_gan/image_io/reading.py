"""Reading of image files."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import ImageArray, PixelArray

from .decoding import decode
from .extras import read_extras
from .headers import MAX_PIXELS, OpenedImage, decoder_errors, read_bytes
from .heif import FURTHER_IMAGES
from .image_file import ImageFile
from .metadata import resolution_of, upright_exif
from .pixels import to_uint8

#: Pillow's modes with one colour channel.
_GREY_MODES = ('1', 'L', 'LA', 'La', 'I;16', 'I;16B', 'I')


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> ImageArray:
    """Read an image as 8-bit RGB.

    The header is checked before any pixel is decoded, and half an image is never returned.
    Grey, palette and bilevel images become three channels. CMYK is converted by Pillow's plain
    formula, without colour profile. 16 bits become 8 by `round(v / 257)`, so that 65535 gives 255.
    The EXIF orientation is applied. An alpha channel is dropped if it is opaque everywhere.
    Embedded colour profiles are ignored, as in every public implementation of raindrop removal.

    Args:
        path: File in one of `FORMATS`; the content decides, not the suffix.
        max_pixels: Largest accepted number of pixels.

    Returns:
        RGB (H, W, 3), uint8, 0 to 255.

    Raises:
        UserError: The file is missing, empty, no image, truncated, damaged, too large, partly
            transparent, animated, or has 32 bits per channel.

    Example:
        >>> import tempfile
        >>> from attentive_gan.image_io import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_image(f'{folder}/red.png', np.full((4, 6, 3), (255, 0, 0), np.uint8))
        ...     image = read_image(path)
        >>> image.shape, image.dtype, image[0, 0]
        ((4, 6, 3), dtype('uint8'), array([255,   0,   0], dtype=uint8))
    """
    decoded = decode(read_bytes(path, max_pixels), path, max_pixels)
    alpha = decoded.alpha
    if alpha is not None and alpha.min() < np.iinfo(alpha.dtype).max:
        raise UserError(
            f'{shown(path)} has transparent pixels, which a photo behind wet glass cannot have. '
            f'Flatten it onto a background and save it without alpha channel.'
        )
    return to_uint8(decoded.pixels)


def read_image_file(
    path: str | Path, max_pixels: int = MAX_PIXELS, content: bytes | None = None
) -> ImageFile:
    """Read an image with its metadata; limits and errors are those of `read_image`.

    Unlike there, transparency and 16 bits are kept. Palettes become RGB, one bit becomes grey. CMYK becomes
    RGB by Pillow's plain formula and loses its profile, which does not describe RGB.

    Args:
        path: File in one of `FORMATS`; the content decides, not the suffix.
        max_pixels: Largest accepted number of pixels.
        content: Bytes of the file if they are in memory; `path` is only its name then.

    Raises:
        UserError: The file is missing, empty, no image, truncated, damaged, too large, animated, or has
            32 bits per channel.

    Example:
        >>> import tempfile
        >>> from attentive_gan.image_io import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_image(f'{folder}/grey.tif', np.full((4, 6), 128, np.uint8))
        ...     file = read_image_file(path)
        >>> file.format, file.grey, file.bits, file.pixels.shape
        ('TIFF', True, 8, (4, 6, 3))
    """
    if content is None:
        content = read_bytes(path, max_pixels)
    decoded = decode(content, path, max_pixels)
    return metadata_of(decoded.opened, content, path, decoded.pixels, decoded.alpha)


def metadata_of(
    opened: OpenedImage,
    content: bytes,
    path: str | Path,
    pixels: PixelArray,
    alpha: PixelArray | None,
) -> ImageFile:
    """Return decoded pixels with the metadata of their file.

    Args:
        opened: The file's header.
        content: Bytes of the file.
        path: Its name, for messages.
        pixels: RGB (H, W, 3), upright.
        alpha: Opacity (H, W), or None.

    Raises:
        UserError: The metadata are damaged beyond reading.
    """
    with decoder_errors(path, 'reading the metadata'), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Pillow warns about unusual metadata
        exif, dropped = upright_exif(opened, content)
        further = opened.info.get('further_images')
        if further or (opened.image is not None and opened.image.format == 'MPO'):
            dropped = (*dropped, FURTHER_IMAGES)
        extras = replace(read_extras(content, opened), dropped=dropped)
    info = opened.info
    profile = None if opened.mode in ('CMYK', 'LAB') else info.get('icc_profile')
    return ImageFile(
        pixels,
        alpha,
        grey=opened.mode in _GREY_MODES,
        icc_profile=profile or None,
        exif=exif,
        dpi=resolution_of(info),
        format=opened.format,
        extras=extras,
    )
