"""XMP, IPTC, comments and chunks of image files: where each format has them, and what it cannot hold."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator

from .headers import OpenedImage
from .heif import colour_chunk
from .image_file import Extras, ImageFile
from .png_chunks import list_chunks

#: Chunks that describe the colours of PNG files (PNG specification, section 11.3.2).
COLOUR_CHUNKS = (b'gAMA', b'cHRM', b'sRGB', b'cICP', b'mDCV', b'cLLI')
_TEXT_CHUNKS = (b'tEXt', b'zTXt', b'iTXt')
_PNG_XMP = b'XML:com.adobe.xmp'
#: ImageMagick's texts that repeat other metadata in another form; eXIf, iCCP and XMP are written instead.
_REPEATED = (b'Raw profile type', b'date:')

#: Tags of TIFF files (XMP specification, part 3; TIFF/EP).
XMP_TAG, IPTC_TAG = 700, 33723

#: Start of the resources of Photoshop, and the number of that with IPTC records.
_PHOTOSHOP, _RESOURCE, _IPTC_RESOURCE = b'Photoshop 3.0\0', b'8BIM', 0x0404

_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation\s*(?:=\s*["\']|>)\s*)[2-8](?=\s*["\'<])')

#: What the formats hold beside pixels; JPEG holds at most one segment of XMP.
_HELD = {
    'PNG': ('profile', 'EXIF', 'XMP', 'comment', 'colour chunks', 'texts', 'resolution'),
    'JPEG': ('profile', 'EXIF', 'XMP', 'IPTC', 'comment', 'resolution'),
    'WEBP': ('profile', 'EXIF', 'XMP'),
    'TIFF': ('profile', 'EXIF', 'XMP', 'IPTC', 'resolution'),
    'BMP': ('resolution',),
    'GIF': ('comment',),
}


def read_extras(content: bytes, opened: OpenedImage) -> Extras:
    """Read the metadata beside EXIF data, profile and resolution.

    Args:
        content: Bytes of the file.
        opened: Its header.
    """
    xmp: bytes | None = None
    iptc: bytes | None = None
    comment: bytes | None = None
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    if opened.format == 'PNG':
        chunks = tuple(_png_chunks(content))
        xmp = next((_itxt_text(data) for kind, data in chunks if _is_xmp(data)), None)
        chunks = tuple((kind, data) for kind, data in chunks if not _is_xmp(data))
    elif opened.format == 'TIFF' and opened.layout is not None:
        xmp, iptc = (_as_bytes(opened.layout.texts.get(tag)) for tag in (XMP_TAG, IPTC_TAG))
    else:
        info = opened.info
        xmp, comment = info.get('xmp'), info.get('comment')
        iptc = _as_bytes(info.get('photoshop', {}).get(_IPTC_RESOURCE))
        if opened.format in ('HEIC', 'AVIF') and not info.get('icc_profile'):
            chunks = colour_chunk(content)
    if xmp:
        xmp = _XMP_ORIENTATION.sub(rb'\g<1>1', xmp)
    return Extras(xmp or None, iptc or None, comment or None, chunks)


def lost_in(file: ImageFile, format_name: str) -> list[str]:
    """Name the metadata of a file that a format cannot hold.

    Args:
        file: Image with metadata.
        format_name: Key of `FORMATS`.
    """
    extras = file.extras
    kinds = {kind for kind, _ in extras.png_chunks}
    found = {
        'profile': file.icc_profile, 'EXIF': file.exif, 'XMP': extras.xmp, 'IPTC': extras.iptc,
        'comment': extras.comment, 'colour chunks': kinds & set(COLOUR_CHUNKS),
        'texts': kinds & set(_TEXT_CHUNKS), 'resolution': file.dpi,
    }  # fmt: skip
    lost = [name for name, value in found.items() if value and name not in _HELD[format_name]]
    if extras.xmp and format_name == 'JPEG' and len(extras.xmp) > LONGEST_JPEG_XMP:
        lost.append('XMP')
    return [*lost, *extras.dropped]


#: A segment has 65533 bytes, of which the name takes 29 (XMP specification, part 3, section 1.1.3).
LONGEST_JPEG_XMP = 65533 - 29


def photoshop_segment(iptc: bytes) -> bytes:
    """Return the APP13 segment of a JPEG file with IPTC records."""
    resource = _RESOURCE + struct.pack('>HHI', _IPTC_RESOURCE, 0, len(iptc)) + iptc
    data = _PHOTOSHOP + resource + bytes(len(iptc) % 2)
    return b'\xff\xed' + struct.pack('>H', len(data) + 2) + data


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    for chunk in list_chunks(io.BytesIO(content), ''):
        data = content[chunk.start + 8 : chunk.start + 8 + chunk.length]
        texts = chunk.kind in _TEXT_CHUNKS and not data.startswith(_REPEATED)
        if texts or chunk.kind in COLOUR_CHUNKS:
            yield chunk.kind, data


def _is_xmp(data: bytes) -> bool:
    return data.startswith(_PNG_XMP + b'\0\0')


def _itxt_text(data: bytes) -> bytes:
    """Return the text of an uncompressed iTXt chunk: after key, two flags, language and translated key."""
    return data.split(b'\0', 1)[1][2:].split(b'\0', 2)[2]


def png_xmp(xmp: bytes) -> bytes:
    """Return the data of the iTXt chunk of an XMP packet."""
    return _PNG_XMP + b'\0\0\0\0\0' + xmp


def _as_bytes(value: object) -> bytes | None:
    """Return the bytes of a tag; IPTC records are often stored as 32-bit numbers."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, tuple) and all(isinstance(item, int) for item in value):
        wide = 'B' if max(value, default=0) < 256 and len(value) > 64 else 'I'
        try:
            return struct.pack(f'<{len(value)}{wide}', *value)
        except struct.error:
            return None
    return value.encode() if isinstance(value, str) else None
