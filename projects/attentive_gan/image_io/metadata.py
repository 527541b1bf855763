"""Metadata of image files: EXIF data and resolution."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image, TiffImagePlugin

from .extras import IPTC_TAG, XMP_TAG
from .headers import OpenedImage

#: Tags that describe the stored pixels, not the scene; wrong for the upright ones.
_PIXEL_TAGS = (
    ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength, ExifTags.Base.BitsPerSample,
    ExifTags.Base.Compression, ExifTags.Base.PhotometricInterpretation, ExifTags.Base.StripOffsets,
    ExifTags.Base.SamplesPerPixel, ExifTags.Base.RowsPerStrip, ExifTags.Base.StripByteCounts,
    ExifTags.Base.PlanarConfiguration, ExifTags.Base.Predictor, ExifTags.Base.SampleFormat,
    ExifTags.Base.InterColorProfile, ExifTags.Base.TileWidth, ExifTags.Base.TileLength,
    ExifTags.Base.TileOffsets, ExifTags.Base.TileByteCounts,
    254, 255, 266, 280, 281, 320, 338, 339, 340, 341, 347, 512, 513, 514, 530,  # of TIFF 6.0
)  # fmt: skip
#: Tags that hold or point to other images or to data that stay behind in the old file.
_SUB_IMAGES = (330, 400, 34377, 37724, 50341)


_DIRECTORIES = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.Interop)


def upright_exif(opened: OpenedImage) -> tuple[bytes | None, tuple[str, ...]]:
    """Return the EXIF data for the upright pixels, without thumbnail.

    Args:
        opened: The file.

    Returns:
        The data, None if there are none; and the names of tags that EXIF data cannot store, such as numbers
        of more than 32 bits.
    """
    if opened.image is not None:
        # The base class's method: PngImageFile.getexif would decode the whole image.
        stored = Image.Image.getexif(opened.image)
    else:
        stored = Image.Exif()
        stored.update(opened.layout.texts if opened.layout else {})
    exif, dropped = Image.Exif(), []
    for tag, value in stored.items():
        if tag in _PIXEL_TAGS or tag in (*_DIRECTORIES, XMP_TAG, IPTC_TAG):
            continue
        if tag not in _SUB_IMAGES and _storable(tag, value):
            exif[tag] = value
        else:
            dropped.append(_tag_name(tag))
    for directory in _DIRECTORIES if opened.image is not None else ():
        for tag, value in stored.get_ifd(directory).items():
            if tag == ExifTags.IFD.Interop:
                continue
            if _storable(tag, value):
                exif.get_ifd(directory)[tag] = value
            else:
                dropped.append(_tag_name(tag))
    if ExifTags.Base.Orientation in exif:
        exif[ExifTags.Base.Orientation] = 1
    found = len(exif) or any(exif.get_ifd(directory) for directory in _DIRECTORIES)
    return exif.tobytes() if found else None, tuple(dropped)


def _storable(tag: int, value: Any) -> bool:
    """Return whether a directory that holds one tag can be written."""
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b'II')
    try:
        directory[tag] = value
        directory.tobytes(8)
    except (struct.error, TypeError, ValueError, KeyError, AttributeError, ArithmeticError):
        return False
    return True


def _tag_name(tag: int) -> str:
    return ExifTags.TAGS.get(tag, f'0x{tag:04x}')


def resolution_of(info: Mapping[Any, Any]) -> tuple[float, float] | None:
    """Return the resolution in dots per inch; None if the file does not state one.

    Args:
        info: `Image.info` of the opened file.
    """
    dpi = info.get('dpi')
    if not isinstance(dpi, tuple) or len(dpi) != 2 or not all(value > 0 for value in dpi):
        return None
    return float(dpi[0]), float(dpi[1])
