"""Metadata of image files: EXIF data and resolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

#: Tags that describe the stored pixels, not the scene; wrong for the upright ones.
_PIXEL_TAGS = (
    ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength, ExifTags.Base.BitsPerSample,
    ExifTags.Base.Compression, ExifTags.Base.PhotometricInterpretation, ExifTags.Base.StripOffsets,
    ExifTags.Base.SamplesPerPixel, ExifTags.Base.RowsPerStrip, ExifTags.Base.StripByteCounts,
    ExifTags.Base.PlanarConfiguration, ExifTags.Base.Predictor, ExifTags.Base.SampleFormat,
    ExifTags.Base.InterColorProfile, ExifTags.Base.TileWidth, ExifTags.Base.TileLength,
    ExifTags.Base.TileOffsets, ExifTags.Base.TileByteCounts,
    338,  # ExtraSamples of TIFF 6.0
)  # fmt: skip


def upright_exif(image: Image.Image) -> bytes | None:
    """Return the EXIF data for the upright pixels, without thumbnail; None if there is none.

    Args:
        image: Opened file.
    """
    exif = image.getexif()
    if not len(exif):
        return None
    for tag in _PIXEL_TAGS:
        exif.pop(tag, None)
    if ExifTags.Base.Orientation in exif:
        exif[ExifTags.Base.Orientation] = 1
    exif._ifds.pop(ExifTags.IFD.IFD1, None)  # the thumbnail
    return exif.tobytes() if len(exif) else None


def resolution_of(info: Mapping[Any, Any]) -> tuple[float, float] | None:
    """Return the resolution in dots per inch; None if the file does not state one.

    Args:
        info: `Image.info` of the opened file.
    """
    dpi = info.get('dpi')
    if not isinstance(dpi, tuple) or len(dpi) != 2 or not all(value > 0 for value in dpi):
        return None
    return float(dpi[0]), float(dpi[1])
