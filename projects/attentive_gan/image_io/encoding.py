"""Encoding of images with metadata into the bytes of a file."""

from __future__ import annotations

import io
import struct
import zlib
from typing import IO, Any

import cv2
import numpy as np
import tifffile
from PIL import ExifTags, Image, TiffImagePlugin

from attentive_gan.errors import UserError
from attentive_gan.utils.types import PixelArray

from .extras import IPTC_TAG, LONGEST_JPEG_XMP, XMP_TAG, photoshop_segment, png_xmp
from .formats import ImageFormat
from .image_file import ImageFile
from .pixels import to_grey
from .png_chunks import png_chunk

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
    extras = file.extras
    metadata = {'dpi': file.dpi, 'icc_profile': file.icc_profile, 'exif': file.exif}
    metadata |= {'xmp': extras.xmp, 'comment': extras.comment}
    if image_format.name == 'JPEG':
        if len(extras.xmp or b'') > LONGEST_JPEG_XMP:
            metadata['xmp'] = None
        metadata['extra'] = photoshop_segment(extras.iptc) if extras.iptc else None
    if image_format.name == 'TIFF' and (extras.xmp or extras.iptc):
        metadata['exif'] = _exif_with_tags(file)
    options = dict(image_format.options)
    options |= {name: value for name, value in metadata.items() if value is not None}
    if image_format.name == 'JPEG':
        options['quality'] = quality
    if metadata['exif'] is not None:
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


def _exif_with_tags(file: ImageFile) -> bytes:
    """Return EXIF data that hold XMP and IPTC as tags, as TIFF files do."""
    exif = Image.Exif()
    if file.exif is not None:
        exif.load(file.exif)
    for tag, value in ((XMP_TAG, file.extras.xmp), (IPTC_TAG, file.extras.iptc)):
        if value is not None:
            exif[tag] = value
    return exif.tobytes()


def _encode_deep_tiff(stream: IO[bytes], file: ImageFile) -> None:
    """Encode by tifffile, and append the directories of EXIF data, to which tags of the image point."""
    exif = Image.Exif()
    if file.exif is not None:
        exif.load(file.exif)
    texts = [
        (tag, 's', 0, value, True)
        for tag, value in exif.items()
        if isinstance(value, str) and tag != ExifTags.Base.Software
    ]
    extras = [(XMP_TAG, file.extras.xmp), (IPTC_TAG, file.extras.iptc)]
    packets = [(tag, 'B', len(value), value, True) for tag, value in extras if value]
    directories = {tag: exif.get_ifd(tag) for tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)}
    # tifffile leaves out pointers to directories: the tags before them keep their places.
    pointers = [(int(tag) - 1, 'I', 1, 0, True) for tag, values in directories.items() if values]
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
        extratags=[*texts, *packets, *pointers],
        metadata=None,
        software=False,
        byteorder='<',
        **options,
    )
    for place, *_ in pointers:
        _append_directory(encoded, place + 1, directories[ExifTags.IFD(place + 1)])
    stream.write(encoded.getbuffer())


def _append_directory(encoded: IO[bytes], tag: int, values: dict[int, Any]) -> None:
    """Append a directory to a little-endian TIFF file, and point to it from the place kept for its tag."""
    position = encoded.seek(0, io.SEEK_END)
    encoded.write(bytes(position % 2))
    position += position % 2
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=b'II')
    for number, value in values.items():
        directory[number] = value
    encoded.write(directory.tobytes(position))
    encoded.seek(4)
    first = struct.unpack('<I', encoded.read(4))[0]
    encoded.seek(first)
    for _ in range(struct.unpack('<H', encoded.read(2))[0]):
        entry = encoded.read(12)  # number, type, count, value (TIFF 6.0, section 2)
        if struct.unpack_from('<H', entry)[0] == tag - 1:
            encoded.seek(-12, io.SEEK_CUR)
            encoded.write(struct.pack('<HHII', tag, 4, 1, position))
            return
