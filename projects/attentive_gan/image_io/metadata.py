"""An image with all that its file says beside the colours: opacity, depth, colour profile, metadata."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from attentive_gan.errors import UserError, shown

from .headers import MAX_PIXELS, bits_of, decoder_errors, open_content, orientation_of, read_bytes
from .reading import CONVERTIBLE, UPRIGHT

#: Pillow's modes with one colour channel.
_GREY_MODES = ('1', 'L', 'LA', 'I;16', 'I;16B', 'I')
#: Tags that describe the stored pixels, not the scene; wrong for the upright ones.
_PIXEL_TAGS = (
    ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength, ExifTags.Base.BitsPerSample,
    ExifTags.Base.Compression, ExifTags.Base.PhotometricInterpretation, ExifTags.Base.StripOffsets,
    ExifTags.Base.SamplesPerPixel, ExifTags.Base.RowsPerStrip, ExifTags.Base.StripByteCounts,
    ExifTags.Base.PlanarConfiguration, ExifTags.Base.Predictor, ExifTags.Base.SampleFormat,
    ExifTags.Base.InterColorProfile, ExifTags.Base.TileWidth, ExifTags.Base.TileLength,
    ExifTags.Base.TileOffsets, ExifTags.Base.TileByteCounts,
)  # fmt: skip
_EXTRA_SAMPLES = 338  # TIFF 6.0, tag ExtraSamples


@dataclass(frozen=True)
class ImageDocument:
    """A decoded image file."""

    pixels: NDArray
    """RGB (H, W, 3), uint8 or uint16, full range of the type, upright."""
    alpha: NDArray | None
    """Opacity (H, W) of the same type; None where the file has none."""
    grey: bool
    """Whether the file stores one colour channel; the three of `pixels` are equal then."""
    icc_profile: bytes | None
    """Colour profile of the pixels; None where there is none, or where CMYK became RGB."""
    exif: bytes | None
    """EXIF data with orientation 1 and without thumbnail, which would show the old image."""
    dpi: tuple[float, float] | None
    """Resolution in dots per inch."""
    format: str
    """PNG, JPEG, WEBP, BMP or TIFF."""

    def with_pixels(self, pixels: NDArray) -> ImageDocument:
        """Return the document with other colours.

        Raises:
            ValueError: Their shape or type differs.
        """
        if pixels.shape != self.pixels.shape or pixels.dtype != self.pixels.dtype:
            raise ValueError(
                f'pixels must be {self.pixels.dtype} {self.pixels.shape}; '
                f'got {pixels.dtype} {pixels.shape}'
            )
        return replace(self, pixels=pixels)


def read_document(
    path: str | Path, max_pixels: int = MAX_PIXELS, content: bytes | None = None
) -> ImageDocument:
    """Read an image with its metadata; the limits and refusals are those of `read_image`.

    Unlike there, transparency and 16 bits are kept. Palettes become RGB, one bit becomes grey. CMYK becomes
    RGB by Pillow's plain formula and loses its profile, which does not describe RGB.

    Args:
        path: File in PNG, JPEG, WebP, BMP or TIFF format; the content decides, not the suffix.
        max_pixels: Largest number of pixels that is decoded.
        content: Bytes of the file, where they are in memory; `path` is only its name then.

    Raises:
        UserError: The file is missing, empty, no image, truncated, damaged, too large, animated, or has
            32 bits per channel.
    """
    if content is None:
        content = read_bytes(path)
    image = open_content(content, path, max_pixels)
    with decoder_errors(path, 'decoding'), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Pillow warns about odd metadata
        # Pillow and OpenCV turn a TIFF upright themselves while they decode it.
        orientation = 1 if image.format == 'TIFF' else orientation_of(image)
        deep = bits_of(image, content[:32]) == 16
        mode, info = image.mode, dict(image.info)
        if deep:
            channels = _deep_channels(content, path)
        else:
            image.load()
            channels = _plain_channels(image, path)
        exif = _clean_exif(image)
    kind = 'JPEG' if image.format == 'MPO' else str(image.format)
    image.close()
    upright = UPRIGHT[orientation]
    grey = mode in _GREY_MODES
    colours, alpha = channels
    icc = None if mode in ('CMYK', 'LAB') else info.get('icc_profile')
    return ImageDocument(
        np.array(upright(colours), order='C') if not _is_plain(upright(colours)) else colours,
        None if alpha is None else np.ascontiguousarray(upright(alpha)),
        grey, icc or None, exif, _dpi(info), kind,
    )  # fmt: skip


def _is_plain(pixels: NDArray) -> bool:
    """Return whether an array can be used as it is: contiguous, with memory of its own."""
    return bool(pixels.flags.c_contiguous and pixels.flags.writeable)


def _plain_channels(image: Image.Image, path: str | Path) -> tuple[NDArray, NDArray | None]:
    """Return colours (H, W, 3) and opacity of an 8-bit image."""
    if image.mode not in CONVERTIBLE:
        raise UserError(
            f'{shown(path)} has pixels of kind {image.mode!r}, which is not 8 or 16 bits per channel. '
            f'Save it as an 8-bit image.'
        )
    if not image.has_transparency_data:
        colours = image if image.mode == 'RGB' else image.convert('RGB')
        return np.array(colours), None
    both = np.asarray(image.convert('RGBA'))
    return np.ascontiguousarray(both[..., :3]), np.ascontiguousarray(both[..., 3])


def _deep_channels(content: bytes, path: str | Path) -> tuple[NDArray, NDArray | None]:
    """Return colours (H, W, 3) and opacity of a 16-bit image, which Pillow would cut to 8."""
    stored = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise UserError(
            f'{shown(path)} has a 16-bit layout that is not supported. Save it with 8 bits.'
        )
    if stored.ndim == 2:
        stored = stored[..., None]
    alpha = stored[..., -1].copy() if stored.shape[2] in (2, 4) else None
    colours = stored if alpha is None else stored[..., :-1]
    wide = np.broadcast_to(colours[..., ::-1], (*stored.shape[:2], 3))
    return np.ascontiguousarray(wide), alpha


def _clean_exif(image: Image.Image) -> bytes | None:
    """Return the EXIF data for the upright pixels; None where there is none."""
    exif = image.getexif()
    if not len(exif):
        return None
    for tag in _PIXEL_TAGS:
        exif.pop(tag, None)
    exif.pop(_EXTRA_SAMPLES, None)
    if ExifTags.Base.Orientation in exif:
        exif[ExifTags.Base.Orientation] = 1
    exif._ifds.pop(ExifTags.IFD.IFD1, None)  # the thumbnail
    return exif.tobytes() if len(exif) else None


def _dpi(info: dict) -> tuple[float, float] | None:
    """Return the resolution where the file states one."""
    dpi = info.get('dpi')
    if not isinstance(dpi, tuple) or len(dpi) != 2 or not all(value > 0 for value in dpi):
        return None
    return float(dpi[0]), float(dpi[1])


def grey_of(pixels: NDArray) -> NDArray:
    """Return the BT.601 luma (H, W) of RGB pixels (H, W, 3), of their type; equal channels stay.

    Source: ITU-R BT.601-7, section 2.5.1.
    """
    grey = np.empty(pixels.shape[:2], pixels.dtype)
    for first in range(0, len(pixels), 256):  # the sum is floating-point: a few rows at a time
        part = pixels[first : first + 256].astype(np.float64)
        grey[first : first + 256] = np.rint(part @ (0.299, 0.587, 0.114))
    return grey
