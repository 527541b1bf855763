"""Encoding of images with metadata into the bytes of a file."""

from __future__ import annotations

import struct
import zlib
from typing import IO, Any

import cv2
import numpy as np
import tifffile
from PIL import ExifTags, Image

from attentive_gan.errors import UserError
from attentive_gan.utils.types import PixelArray

from .formats import ImageFormat
from .image_file import ImageFile
from .pixels import to_grey

_INCH_IN_METRES = 0.0254
#: Bytes of a PNG's signature and IHDR chunk (PNG specification, sections 5.2 and 11.2.1).
_PNG_START = 8 + 25


def encode(stream: IO[bytes], file: ImageFile, image_format: ImageFormat, quality: int) -> None:
    """Encode an image in a format that can store it.

    Args:
        stream: Receives the bytes.
        file: Pixels and metadata.
        image_format: The format.
        quality: Of JPEG, 1 to 100.
    """
    grey_with_alpha = file.grey and file.alpha is not None
    if image_format.name == 'PNG' and (file.bits == 16 or not grey_with_alpha):
        _encode_png(stream, file)
    elif file.bits == 16:
        _encode_deep_tiff(stream, file)
    else:
        _encode_by_pillow(stream, file, image_format, quality)


def _stored_channels(file: ImageFile) -> PixelArray:
    """Return the channels as a file stores them: (H, W), (H, W, 2), (H, W, 3) or (H, W, 4)."""
    colours = to_grey(file.pixels) if file.grey else file.pixels
    return colours if file.alpha is None else np.dstack((colours, file.alpha))


def _encode_by_pillow(
    stream: IO[bytes], file: ImageFile, image_format: ImageFormat, quality: int
) -> None:
    # Encoders ignore metadata that their format cannot store.
    metadata = {'dpi': file.dpi, 'icc_profile': file.icc_profile, 'exif': file.exif}
    options = dict(image_format.options)
    options |= {name: value for name, value in metadata.items() if value is not None}
    if image_format.name == 'JPEG':
        options['quality'] = quality
    if file.exif is not None:
        # libtiff, which compresses, cannot write the nested directories of a camera's EXIF data.
        options.pop('compression', None)
    image = Image.fromarray(np.ascontiguousarray(_stored_channels(file)))
    image.save(stream, image_format.name, **options)


def _encode_png(stream: IO[bytes], file: ImageFile) -> None:
    """Encode the pixels by OpenCV and insert the metadata behind the first chunk.

    OpenCV's choice of filter and strategy is quicker than Pillow's fastest level, for some more bytes.
    """
    stored = _stored_channels(file)
    if stored.shape[2:] == (2,):
        # OpenCV writes no grey with opacity; equal channels mean the same.
        stored = stored[..., [0, 0, 0, 1]]
    if stored.ndim == 3:
        order = cv2.COLOR_RGB2BGR if stored.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        stored = cv2.cvtColor(stored, order).astype(stored.dtype, copy=False)
    done, encoded = cv2.imencode('.png', stored)
    if not done:
        raise UserError('OpenCV could not write a PNG')
    content = encoded.data.cast('B')  # no copy: large images fill the memory already
    stream.write(content[:_PNG_START])
    if file.icc_profile is not None:
        stream.write(_chunk(b'iCCP', b'ICC\0\0' + zlib.compress(file.icc_profile)))
    if file.dpi is not None:
        per_metre = [round(dpi / _INCH_IN_METRES) for dpi in file.dpi]
        stream.write(_chunk(b'pHYs', struct.pack('>IIB', *per_metre, 1)))
    if file.exif is not None:
        stream.write(_chunk(b'eXIf', file.exif.removeprefix(b'Exif\0\0')))
    stream.write(content[_PNG_START:])


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk (PNG specification, section 5.3)."""
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def _encode_deep_tiff(stream: IO[bytes], file: ImageFile) -> None:
    tags: list[tuple[int, str, int, str, bool]] = []
    if file.exif is not None:
        exif = Image.Exif()
        exif.load(file.exif)
        tags = [
            (tag, 's', 0, value, True)
            for tag, value in exif.items()
            if isinstance(value, str) and tag != ExifTags.Base.Software
        ]
    options: dict[str, Any] = {}
    if file.dpi is not None:
        options = {'resolution': file.dpi, 'resolutionunit': 'INCH'}
    tifffile.imwrite(
        stream,
        _stored_channels(file),
        photometric='minisblack' if file.grey else 'rgb',
        compression='zlib',
        extrasamples=None if file.alpha is None else ['UNASSALPHA'],
        iccprofile=file.icc_profile,
        extratags=tags,
        metadata=None,
        software=False,
        **options,
    )
