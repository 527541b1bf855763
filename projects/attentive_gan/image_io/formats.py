"""The image formats that are read and written: suffixes, limits and encoder options in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError, shown


@dataclass(frozen=True)
class ImageFormat:
    """One format."""

    name: str
    """Pillow's name."""
    suffixes: tuple[str, ...]
    """Suffixes in lower case; the first is the usual one."""
    alpha: bool = False
    """Whether it stores opacity."""
    deep: bool = False
    """Whether it stores 16 bits per channel."""
    written: bool = True
    """Whether still images are written in it."""
    longest_side: int | None = None
    """Largest height or width in pixels; None for no practical limit."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of Pillow's encoder; every format but JPEG is written without loss."""


#: All formats by name. Every other format is refused before a decoder reads it.
FORMATS: Mapping[str, ImageFormat] = {
    image_format.name: image_format
    for image_format in (
        # Level 1 takes a third of level 6's time for a photo, for 4 % more bytes.
        ImageFormat('PNG', ('.png', '.apng'), alpha=True, deep=True, options={'compress_level': 1}),
        # libjpeg's JPEG_MAX_DIMENSION.
        ImageFormat(
            'JPEG', ('.jpg', '.jpeg'), longest_side=65500, options={'quality': 95, 'subsampling': 0}
        ),
        # WebP container specification: 14 bits per side.
        ImageFormat(
            'WEBP',
            ('.webp',),
            alpha=True,
            longest_side=16383,
            options={'lossless': True, 'exact': True},
        ),
        ImageFormat('BMP', ('.bmp',)),
        ImageFormat(
            'TIFF',
            ('.tif', '.tiff'),
            alpha=True,
            deep=True,
        ),
        # Animations are written as GIF; still images would lose colours.
        ImageFormat('GIF', ('.gif',), written=False),
        ImageFormat('HEIC', ('.heic', '.heif', '.hif'), written=False),
        ImageFormat('AVIF', ('.avif',), written=False),
    )
}

#: Suffixes of all formats that are read, in lower case.
SUFFIXES = tuple(suffix for kind in FORMATS.values() for suffix in kind.suffixes)
#: Suffixes of those in which still images are written.
WRITTEN_SUFFIXES = tuple(
    suffix for kind in FORMATS.values() if kind.written for suffix in kind.suffixes
)


def format_of(path: str | Path) -> ImageFormat:
    """Return the format in which an image is written under a name.

    Raises:
        UserError: Images are not written with this suffix.

    Example:
        >>> format_of('photo.JPG').name
        'JPEG'
    """
    suffix = Path(path).suffix.lower()
    for image_format in FORMATS.values():
        if image_format.written and suffix in image_format.suffixes:
            return image_format
    raise UserError(f'{shown(path)}: use one of the suffixes {", ".join(WRITTEN_SUFFIXES)}.')


def check_format_holds(
    path: str | Path, height: int, width: int, alpha: bool = False, bits: int = 8
) -> ImageFormat:
    """Check that the format of a file can store an image.

    Args:
        path: File to write; the suffix decides the format.
        height: Rows.
        width: Columns.
        alpha: Whether the image has opacity.
        bits: Bits per channel, 8 or 16.

    Returns:
        The format.

    Raises:
        UserError: The suffix is unknown, or something would be lost.
    """
    image_format = format_of(path)
    limit = image_format.longest_side
    written = [kind for kind in FORMATS.values() if kind.written]
    if alpha and not image_format.alpha:
        lost, capable = 'transparency', [kind.name for kind in written if kind.alpha]
    elif bits == 16 and not image_format.deep:
        lost, capable = '16 bits per channel', [kind.name for kind in written if kind.deep]
    elif limit and max(height, width) > limit:
        raise UserError(
            f'{shown(path)}: {image_format.name} stores at most {limit} pixels per side, the image is '
            f'{width}x{height}; write PNG or TIFF.'
        )
    else:
        return image_format
    raise UserError(
        f'{shown(path)}: {image_format.name} cannot store {lost}; write {" or ".join(capable)}.'
    )
