"""BMP files whose colours are bit fields, of which Pillow knows the usual ones only."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import PixelArray

_INCH_IN_METRES = 0.0254
#: Compressions BI_BITFIELDS and BI_ALPHABITFIELDS, and the bytes of a header that holds its masks.
_FIELDS, _ALPHA_FIELDS = 3, 6
_SHORT_HEADER, _HEADER_WITH_ALPHA = 40, 56
#: Bytes at the start of a file that are needed: file header, header, masks.
START = 14 + _SHORT_HEADER + 16


@dataclass(frozen=True)
class BitFields:
    """Header of a BMP file with bit fields (Windows SDK, BITMAPINFOHEADER and BITMAPV4HEADER)."""

    offset: int
    """Place of the pixels."""
    width: int
    """Columns."""
    height: int
    """Rows."""
    upward: bool
    """Whether the lowest row is stored first."""
    depth: int
    """Bits per pixel, 16 or 32."""
    masks: tuple[int, ...]
    """Bits of red, green, blue, and of opacity if it has some."""
    per_metre: tuple[int, int]
    """Pixels per metre, horizontally and vertically."""

    @property
    def bits(self) -> int:
        """Bits per channel that are read, 8 or 16."""
        return 16 if max(mask.bit_count() for mask in self.masks) > 8 else 8

    def opened(self) -> Image.Image:
        """Return an image of this size without pixels, with the resolution."""
        image = Image.new('RGBA' if len(self.masks) == 4 else 'RGB', (1, 1))
        image._size = self.width, self.height
        image.format = 'BMP'
        if min(self.per_metre) > 0:
            x, y = self.per_metre
            image.info['dpi'] = x * _INCH_IN_METRES, y * _INCH_IN_METRES
        return image


def read_bit_fields(start: bytes) -> BitFields | None:
    """Read the header of a BMP file with bit fields.

    Args:
        start: At least the first `START` bytes.

    Returns:
        The header; None for all other files, and if a mask has gaps.
    """
    if not start.startswith(b'BM') or len(start) < START:
        return None
    offset, length, width, height, _, depth, compression = struct.unpack_from('<IIiiHHI', start, 10)
    if compression not in (_FIELDS, _ALPHA_FIELDS) or depth not in (16, 32):
        return None
    has_alpha = compression == _ALPHA_FIELDS or length >= _HEADER_WITH_ALPHA
    masks = struct.unpack_from('<4I', start, 14 + _SHORT_HEADER)
    masks = masks if has_alpha and masks[3] else masks[:3]
    if length < _SHORT_HEADER or width < 1 or not height:
        return None
    if not all(mask and bin(mask).strip('0b').find('0') < 0 for mask in masks):
        return None
    per_metre = struct.unpack_from('<ii', start, 14 + 24)
    return BitFields(offset, width, abs(height), height > 0, depth, masks, per_metre)


def decode_bit_fields(
    content: bytes, header: BitFields, path: str | Path
) -> tuple[PixelArray, PixelArray | None]:
    """Decode the pixels of a BMP file with bit fields.

    Returns:
        Colours (H, W, 3) and opacity (H, W) or None; uint8, or uint16 if a field has more than 8 bits.

    Raises:
        UserError: The file is truncated.
    """
    kind = np.dtype('<u2' if header.depth == 16 else '<u4')
    row = -(-header.width * kind.itemsize // 4) * 4
    if len(content) < header.offset + row * header.height:
        raise UserError(
            f'{shown(path)} is truncated or damaged (decoding: {header.height} rows of {row} bytes are '
            'missing some). Copy the file again from its source.'
        )
    stored = np.frombuffer(content, np.uint8, row * header.height, header.offset)
    values = stored.reshape(header.height, row)[:, : header.width * kind.itemsize].copy().view(kind)
    if header.upward:
        values = values[::-1]
    full = np.uint8 if header.bits == 8 else np.uint16
    channels = [_field(values, mask, full) for mask in header.masks]
    return np.dstack(channels[:3]), channels[3] if len(channels) == 4 else None


def _field(values: NDArray[np.unsignedinteger], mask: int, kind: type) -> PixelArray:
    """Return the bits of a mask, scaled to the range of a type."""
    shift, top = (mask & -mask).bit_length() - 1, 2 ** mask.bit_count() - 1
    field = (values.astype(np.uint64) & np.uint64(mask)) >> np.uint64(shift)
    full = np.iinfo(kind).max
    scaled: PixelArray = ((field * np.uint64(full) + np.uint64(top // 2)) // np.uint64(top)).astype(
        kind
    )
    return scaled
