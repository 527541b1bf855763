"""Writes an image with its metadata; refuses, before any work, what a format cannot hold."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.atomic_io import atomic_write

from .metadata import ImageDocument, grey_of

#: Format by suffix.
FORMAT_OF = {
    '.png': 'PNG', '.jpg': 'JPEG', '.jpeg': 'JPEG', '.webp': 'WEBP', '.bmp': 'BMP', '.tif': 'TIFF',
    '.tiff': 'TIFF',
}  # fmt: skip
#: Formats that hold opacity, and those that hold 16 bits.
_WITH_ALPHA = ('PNG', 'WEBP', 'TIFF')
_WITH_16_BITS = ('PNG', 'TIFF')
#: Longest side that can be written (WebP container specification; libjpeg's JPEG_MAX_DIMENSION).
_LONGEST_SIDE = {'WEBP': 16383, 'JPEG': 65500}
#: A marker's length has 16 bits and counts its own two bytes (ITU-T T.81, section B.1.1.4).
_LONGEST_JPEG_EXIF = 65533
#: Level 1 takes a third of level 6's time for a photo, for 4 % more bytes.
_PNG_LEVEL = 1
_INCH_IN_METRES = 0.0254


def check_holds(
    path: str | Path, height: int, width: int, alpha: bool = False, bits: int = 8
) -> None:
    """Make sure that the format of a file can hold an image.

    Args:
        path: File to be written; the suffix decides the format.
        height: Rows.
        width: Columns.
        alpha: Whether the image has opacity.
        bits: Bits per channel, 8 or 16.

    Raises:
        UserError: The suffix is unknown, or something would be lost.
    """
    kind = FORMAT_OF.get(Path(path).suffix.lower())
    if kind is None:
        raise UserError(f'{shown(path)}: use one of the suffixes {", ".join(FORMAT_OF)}.')
    if alpha and kind not in _WITH_ALPHA:
        raise UserError(
            f'{shown(path)}: {kind} holds no transparency, which would be lost; write '
            f'{" or ".join(_WITH_ALPHA)}.'
        )
    if bits == 16 and kind not in _WITH_16_BITS:
        raise UserError(
            f'{shown(path)}: {kind} holds no 16 bits per channel, which would be lost; write '
            f'{" or ".join(_WITH_16_BITS)}.'
        )
    limit = _LONGEST_SIDE.get(kind)
    if limit and max(height, width) > limit:
        raise UserError(
            f'{shown(path)}: {kind} holds at most {limit} pixels per side, the image is '
            f'{width}x{height}; write PNG or TIFF.'
        )


def write_document(path: str | Path, document: ImageDocument, quality: int = 95) -> Path:
    """Write an image with what its document says; the file appears whole or not at all.

    16-bit TIFF keeps of the EXIF data only the texts of the main directory, such as camera and date.

    Args:
        path: File to write; the suffix decides the format. Its folder is made where it is missing.
        document: The image.
        quality: Of JPEG, 1 to 100; its colours are never subsampled. WebP is without loss.

    Raises:
        UserError: The format cannot hold the image, or the file cannot be written.
    """
    path = Path(path)
    kind = _checked_format(path, document)
    with atomic_write(path) as unfinished, unfinished.open('wb') as stream:
        _write(stream, document, kind, quality)
    return path


def encode_document(name: str | Path, document: ImageDocument, quality: int = 95) -> bytes:
    """Return the bytes that `write_document` would write; the suffix of the name decides the format.

    Raises:
        UserError: The format cannot hold the image.
    """
    stream = io.BytesIO()
    _write(stream, document, _checked_format(Path(name), document), quality)
    return stream.getvalue()


def _checked_format(path: Path, document: ImageDocument) -> str:
    height, width = document.pixels.shape[:2]
    deep = document.pixels.dtype == np.uint16
    check_holds(path, height, width, document.alpha is not None, 16 if deep else 8)
    kind = FORMAT_OF[path.suffix.lower()]
    if kind == 'JPEG' and len(document.exif or b'') > _LONGEST_JPEG_EXIF:
        raise UserError(
            f'{shown(path)}: JPEG holds at most {_LONGEST_JPEG_EXIF} bytes of EXIF data, the image '
            f'has {len(document.exif or b"")}; write PNG or WEBP.'
        )
    return kind


def _write(stream: IO[bytes], document: ImageDocument, kind: str, quality: int) -> None:
    deep = document.pixels.dtype == np.uint16
    grey_with_alpha = (
        document.grey and document.alpha is not None
    )  # of 8 bits, Pillow alone writes it
    if kind == 'PNG' and (deep or not grey_with_alpha):
        _write_png(stream, document)
    elif deep:
        _write_deep_tiff(stream, document)
    else:
        _write_plain(stream, document, kind, quality)


def _write_plain(stream: IO[bytes], document: ImageDocument, kind: str, quality: int) -> None:
    by_format: dict[str, dict[str, Any]] = {
        'PNG': {'compress_level': _PNG_LEVEL},
        'JPEG': {'quality': quality, 'subsampling': 0},
        'WEBP': {'lossless': True, 'exact': True},
        'TIFF': {'compression': 'tiff_deflate'},
        'BMP': {},
    }
    options = by_format[kind]
    if document.dpi is not None and kind != 'WEBP':
        options['dpi'] = document.dpi
    if kind != 'BMP':
        if document.icc_profile is not None:
            options['icc_profile'] = document.icc_profile
        if document.exif is not None:
            options['exif'] = document.exif
            # libtiff, which compresses, cannot write the nested directories of a camera's EXIF data.
            options.pop('compression', None)
    image = Image.fromarray(_stored(document))
    image.save(stream, kind, **options)


def _stored(document: ImageDocument) -> NDArray:
    """Return the channels as a file stores them: (H, W), or (H, W, 2), (H, W, 3) or (H, W, 4)."""
    colours = grey_of(document.pixels) if document.grey else document.pixels
    if document.alpha is None:
        return colours
    return np.dstack((colours, document.alpha))


def _write_png(stream: IO[bytes], document: ImageDocument) -> None:
    """Write a PNG; OpenCV encodes the pixels, and the metadata is put behind its first chunk.

    OpenCV's own choice of filter and strategy is quicker than Pillow's fastest level, for some more bytes.
    """
    stored = _stored(document)
    if stored.ndim == 3 and stored.shape[2] == 2:
        # OpenCV writes no grey with opacity; equal channels say the same.
        stored = np.dstack((stored[..., [0, 0, 0]], stored[..., 1]))
    if stored.ndim == 3:
        order = cv2.COLOR_RGB2BGR if stored.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        stored = cv2.cvtColor(stored, order)
    done, encoded = cv2.imencode('.png', stored)
    if not done:
        raise UserError('OpenCV could not write a PNG')
    content = encoded.data.cast('B')  # no copy: large images fill the memory already
    first = 8 + 25  # signature and IHDR (PNG specification, sections 5.2 and 11.2.1)
    stream.write(content[:first])
    if document.icc_profile is not None:
        stream.write(_chunk(b'iCCP', b'ICC\0\0' + zlib.compress(document.icc_profile)))
    if document.dpi is not None:
        per_metre = [round(dpi / _INCH_IN_METRES) for dpi in document.dpi]
        stream.write(_chunk(b'pHYs', struct.pack('>IIB', *per_metre, 1)))
    if document.exif is not None:
        stream.write(_chunk(b'eXIf', document.exif.removeprefix(b'Exif\0\0')))
    stream.write(content[first:])


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk (PNG specification, section 5.3)."""
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def _write_deep_tiff(stream: IO[bytes], document: ImageDocument) -> None:
    tags: list[tuple[int, str, int, Any, bool]] = []
    if document.exif is not None:
        exif = Image.Exif()
        exif.load(document.exif)
        texts = {tag: value for tag, value in exif.items() if isinstance(value, str)}
        tags = [(tag, 's', 0, value, True) for tag, value in texts.items() if tag != _SOFTWARE]
    options: dict[str, Any] = {}
    if document.dpi is not None:
        options = {'resolution': document.dpi, 'resolutionunit': 'INCH'}
    tifffile.imwrite(
        stream, _stored(document), photometric='minisblack' if document.grey else 'rgb',
        compression='zlib', iccprofile=document.icc_profile, extratags=tags, metadata=None,
        extrasamples=None if document.alpha is None else ['UNASSALPHA'], software=False, **options,
    )  # fmt: skip


_SOFTWARE = ExifTags.Base.Software
