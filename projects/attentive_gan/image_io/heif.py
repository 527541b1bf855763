"""HEIC and AVIF photos: HEIC by the optional package pi-heif, AVIF by Pillow, deep AVIF by OpenCV.

pi-heif is BSD-licensed; its wheels hold libheif and libde265 (LGPL 3), so that it is an extra here.
"""

from __future__ import annotations

import importlib.util
import io
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import PixelArray

from .pixels import divided

#: Brands of images in ISO base media files (ISO/IEC 23008-12; AV1 Image File Format, section 6).
_AVIF_BRANDS = (b'avif', b'avis')
_HEIC_BRANDS = (b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx', b'mif1', b'msf1')
#: Most brands that a file states.
_MOST_BRANDS = 32

#: Primaries and transfers (ITU-T H.273) that mean sRGB, or nothing.
_USUAL_COLOURS = {(1, 1), (1, 13), (1, 2), (2, 2), (2, 13), (1, 6), (6, 6), (5, 6)}

#: Boxes with texts, and where these begin behind the name: item types, kinds of auxiliary images.
_TEXT_BOXES = {b'infe': 12, b'auxC': 8}

FURTHER_IMAGES = 'further images of the file, such as a depth or gain map'


def phone_format(start: bytes) -> str | None:
    """Return `HEIC` or `AVIF` by the first bytes of a file; None for other files.

    Example:
        >>> phone_format(b'....ftypmif1....avifmif1'), phone_format(b'....ftypheic')
        ('AVIF', 'HEIC')
    """
    if start[4:8] != b'ftyp':
        return None
    brands = [start[at : at + 4] for at in (8, *range(16, len(start), 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return 'AVIF'
    return 'HEIC' if any(brand in _HEIC_BRANDS for brand in brands) else None


def brands_of(start: bytes) -> bytes:
    """Cut the first bytes of a file behind the box with its brands, if it has one."""
    if start[4:8] != b'ftyp':
        return start
    return start[: min(struct.unpack('>I', start[:4])[0], 16 + 4 * _MOST_BRANDS)]


def open_heic(content: bytes, path: str | Path) -> tuple[Image.Image, int]:
    """Read the header of a HEIC file.

    Args:
        content: Bytes of the file.
        path: Its name, for messages.

    Returns:
        An image of the file's size and mode whose `info` has its metadata; and the bits per channel.
        Pixels are decoded upright, by boxes of the file: the orientation of its EXIF data does not count.

    Raises:
        UserError: pi-heif is not installed.
    """
    photo, further = _primary(content, path)
    found = {key: photo.info.get(key) for key in ('icc_profile', 'exif', 'xmp')}
    info: dict[Any, Any] = {key: value for key, value in found.items() if value}
    info['further_images'] = further
    mode, bits = photo.mode.split(';')[0], photo.info['bit_depth']
    # A core image of one pixel: `Image.new` would reserve memory for all.
    placed = Image.new('RGBA' if mode.lower().endswith('a') else mode, (1, 1))
    placed.format, placed.info = 'HEIC', info
    placed._size = photo.size
    return placed, 16 if bits > 8 else 8


def decode_heic(content: bytes, path: str | Path) -> tuple[PixelArray, PixelArray | None]:
    """Decode a HEIC file.

    Returns:
        Colours (H, W, 3), upright, and opacity (H, W) or None; uint8, or uint16 in full range.
    """
    photo, _ = _primary(content, path)
    channels = np.array(photo)  # a copy: its memory ends with `photo`
    if channels.dtype != np.uint8:
        channels = _full_range(channels, photo.info['bit_depth'])
    return _split(channels, premultiplied=photo.mode.split(';')[0].endswith('a'))


def _primary(content: bytes, path: str | Path) -> tuple[Any, bool]:
    """Return the main image of a HEIC file, and whether there are others."""
    if importlib.util.find_spec('pi_heif') is None:
        raise UserError(
            f'{shown(path)} is a HEIC photo, which needs the package pi-heif; run: pip install pi-heif'
        )
    import pi_heif

    _check_texts(content)
    file = pi_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=False, hdr_to_16bit=False)
    photo = file[file.primary_index]
    other = len(file) > 1 or bool(photo.info.get('depth_images')) or bool(photo.info.get('aux'))
    return photo, other


def _check_texts(content: bytes) -> None:
    """Refuse files whose boxes hold texts that are none: pi-heif ends the process there.

    Raises:
        ValueError: A text is damaged.
    """
    for kind, start in _TEXT_BOXES.items():
        place = content.find(kind)
        while place >= 4:
            length = struct.unpack_from('>I', content, place - 4)[0]
            text = content[place + start : max(place - 4 + length, place + start + 4)]
            if kind == b'auxC':  # numbers stand behind it
                text = text.split(b'\0')[0]
            try:
                text.decode('utf-8')
            except UnicodeDecodeError as error:
                raise ValueError(f'a text of a box {kind.decode()} is damaged') from error
            place = content.find(kind, place + 4)


def check_avif(path: str | Path) -> None:
    """Refuse AVIF files if Pillow cannot read them.

    Raises:
        UserError: Pillow is older than 11.3, or was built without AVIF.
    """
    if 'avif' not in features.modules or not features.check('avif'):
        raise UserError(
            f'{shown(path)} is an AVIF photo, which needs Pillow 11.3; run: pip install -U pillow'
        )


def avif_bits(content: bytes) -> int:
    """Return the bits per channel of an AVIF file, 8, 10 or 12 (AV1-ISOBMFF, section 2.3.3)."""
    place = content.find(b'av1C')
    flags = content[place + 6] if 0 <= place < len(content) - 6 else 0
    if not flags & 0x40:
        return 8
    return 12 if flags & 0x20 else 10


def decode_deep_avif(content: bytes, path: str | Path) -> tuple[PixelArray, PixelArray | None]:
    """Decode an AVIF file of 10 or 12 bits, of which Pillow gives 8.

    Returns:
        Colours (H, W, 3) as stored, and opacity (H, W) or None, uint16 in full range.

    Raises:
        UserError: OpenCV was built without AVIF, or the file is damaged.
    """
    stored = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise UserError(
            f'{shown(path)} is a damaged AVIF photo, or of more than 8 bits, which the installed OpenCV '
            'cannot read; run: pip install -U opencv-python'
        )
    channels = stored.reshape(*stored.shape[:2], -1).astype(np.uint16, copy=False)
    channels = _full_range(channels, avif_bits(content))
    if channels.shape[2] >= 3:
        channels[..., :3] = channels[..., 2::-1].copy()
    return _split(channels, premultiplied=False)


def colour_chunk(content: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return the colours that a HEIC or AVIF file without profile states, as PNG's chunk cICP.

    Full range and matrix 0 are those of RGB pixels (PNG specification, section 11.3.2.6). Nothing for sRGB.
    """
    place = content.find(b'colrnclx')
    if place < 0 or place + 12 > len(content):
        return ()
    primaries, transfer = struct.unpack_from('>HH', content, place + 8)
    if (primaries, transfer) in _USUAL_COLOURS or max(primaries, transfer) > 255:
        return ()
    return ((b'cICP', bytes([primaries, transfer, 0, 1])),)


def _full_range(stored: PixelArray, bits: int) -> NDArray[np.uint16]:
    """Scale values of 10 or 12 bits to 0 to 65535."""
    top = 2**bits - 1
    scaled = (stored.astype(np.uint32) * 65535 + top // 2) // top
    full: NDArray[np.uint16] = scaled.clip(0, 65535).astype(np.uint16)
    return full


def _split(channels: PixelArray, premultiplied: bool) -> tuple[PixelArray, PixelArray | None]:
    """Split colours (H, W, 3) and opacity (H, W)."""
    if channels.ndim == 2:
        channels = channels[..., None]
    colours, alpha = channels, None
    if channels.shape[2] in (2, 4):
        colours, alpha = channels[..., :-1], channels[..., -1]
    if alpha is not None and premultiplied:
        colours = divided(colours, alpha)
    return np.broadcast_to(colours, (*colours.shape[:2], 3)), alpha
