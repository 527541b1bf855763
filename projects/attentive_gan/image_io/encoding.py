"""Encoding of images with metadata into the bytes of a file."""

from __future__ import annotations

import io
import struct
import zlib
from typing import IO, Any

import cv2
import numpy as np
import tifffile
from PIL import Image

from attentive_gan.errors import UserError
from attentive_gan.utils.types import PixelArray

from .exif_directories import Entry, parse_exif, write_with_entries
from .extras import IPTC_TAG, LONGEST_JPEG_XMP, XMP_TAG, photoshop_segment, png_xmp
from .formats import ImageFormat
from .image_file import ImageFile
from .pixels import to_grey
from .png_chunks import png_chunk

_INCH_IN_METRES = 0.0254
#: Bytes of a PNG's signature and IHDR chunk (PNG specification, sections 5.2 and 11.2.1).
_PNG_START = 8 + 25
#: Type of values that are single bytes (TIFF 6.0, section 2).
_BYTES = 1


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
    elif image_format.name == 'TIFF':
        _encode_tiff(stream, file)
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
    extras = file.extras
    metadata = {'dpi': file.dpi, 'icc_profile': file.icc_profile, 'exif': file.exif}
    metadata |= {'xmp': extras.xmp, 'comment': extras.comment}
    if image_format.name == 'JPEG':
        if len(extras.xmp or b'') > LONGEST_JPEG_XMP:
            metadata['xmp'] = None
        metadata['extra'] = photoshop_segment(extras.iptc) if extras.iptc else None
    options = dict(image_format.options)
    options |= {name: value for name, value in metadata.items() if value is not None}
    if image_format.name == 'JPEG':
        options['quality'] = quality
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
        stream.write(png_chunk(b'iCCP', b'ICC\0\0' + zlib.compress(file.icc_profile)))
    if file.dpi is not None:
        per_metre = [round(dpi / _INCH_IN_METRES) for dpi in file.dpi]
        stream.write(png_chunk(b'pHYs', struct.pack('>IIB', *per_metre, 1)))
    if file.exif is not None:
        stream.write(png_chunk(b'eXIf', file.exif.removeprefix(b'Exif\0\0')))
    for kind, data in file.extras.png_chunks:
        stream.write(png_chunk(kind, data))
    if file.extras.xmp is not None:
        stream.write(png_chunk(b'iTXt', png_xmp(file.extras.xmp)))
    if file.extras.comment is not None:
        stream.write(png_chunk(b'tEXt', b'Comment\0' + file.extras.comment.replace(b'\0', b'')))
    stream.write(content[_PNG_START:])


def _encode_tiff(stream: IO[bytes], file: ImageFile) -> None:
    """Encode the pixels by tifffile, and add the directories of the EXIF data, XMP and IPTC."""
    added = parse_exif(file.exif or b'')
    extras = ((XMP_TAG, file.extras.xmp), (IPTC_TAG, file.extras.iptc))
    added.entries += [Entry(tag, _BYTES, value) for tag, value in extras if value]
    options: dict[str, Any] = {}
    if file.dpi is not None:
        options = {'resolution': file.dpi, 'resolutionunit': 'INCH'}
    encoded = io.BytesIO()
    tifffile.imwrite(
        encoded,
        _stored_channels(file),
        photometric='minisblack' if file.grey else 'rgb',
        compression='zlib',
        extrasamples=None if file.alpha is None else ['UNASSALPHA'],
        iccprofile=file.icc_profile,
        metadata=None,
        software=False,
        byteorder=added.order,
        bigtiff=False,
        **options,
    )
    resolution = (282, 283, 296) if file.dpi is None else ()
    if added:
        write_with_entries(stream, encoded.getbuffer(), added, resolution)
    else:
        stream.write(encoded.getbuffer())
