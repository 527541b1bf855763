"""Metadata of image files: EXIF data and resolution."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from PIL import ExifTags

from .exif_directories import (
    EXIF_POINTER,
    Directory,
    Entry,
    exif_bytes,
    parse_exif,
    read_directory,
    stored_exif,
)
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
#: Type of whole numbers of 16 bits.
_SHORT = 3
#: Tags with the width and the height of the image, each with the other.
_SIDES = {40962: 40963, 40963: 40962}
#: Tags whose values are kept elsewhere: XMP, IPTC, colour profile, Photoshop's copies of them.
_KEPT_ELSEWHERE = (XMP_TAG, IPTC_TAG, ExifTags.Base.InterColorProfile)


def upright_exif(opened: OpenedImage, content: bytes) -> tuple[bytes | None, tuple[str, ...]]:
    """Return the EXIF data for the upright pixels, without thumbnail; all else is copied byte for byte.

    Args:
        opened: The file's header.
        content: Bytes of the file.

    Returns:
        The data, None if there are none; and the names of tags that EXIF data cannot store, such as numbers
        of more than 32 bits, and of broken ones.
    """
    stored = _stored_directory(opened, content)
    dropped = [tag for tag in stored.all_broken() if tag not in _PIXEL_TAGS]
    kept = []
    for entry in stored.entries:
        if entry.tag in _SUB_IMAGES:
            dropped.append(entry.tag)
        elif entry.tag == ExifTags.Base.Orientation:
            kept.append(Entry(entry.tag, _SHORT, struct.pack(f'{stored.order}H', 1)))
        elif entry.tag not in (*_PIXEL_TAGS, *_KEPT_ELSEWHERE):
            kept.append(entry)
    if (
        opened.orientation >= 5 and EXIF_POINTER in stored.children
    ):  # width and height change places
        entries = stored.children[EXIF_POINTER].entries
        entries[:] = [replace(entry, tag=_SIDES.get(entry.tag, entry.tag)) for entry in entries]
    exif = Directory(stored.order, kept, stored.children)
    return exif_bytes(exif) if exif else None, tuple(_tag_name(tag) for tag in dropped)


def _stored_directory(opened: OpenedImage, content: bytes) -> Directory:
    layout = opened.layout
    if layout is not None:
        order: Literal['<', '>'] = '>' if layout.big_endian else '<'
        return read_directory(content, layout.directory, order, content[2:4] in (b'+\0', b'\0+'))
    return parse_exif(stored_exif(opened.info))


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
