"""BMP files with bit fields."""

from __future__ import annotations

import struct

import numpy as np


def bmp(fields: list[np.ndarray], masks: list[int], depth: int, down: bool = False) -> bytes:
    """Return a BMP file whose fields (H, W) are at the places of masks."""
    height, width = fields[0].shape
    values = sum(
        field.astype(np.uint32) << ((mask & -mask).bit_length() - 1)
        for field, mask in zip(fields, masks, strict=True)
    )
    row = -(-width * depth // 32) * 4
    rows = b''.join(
        line.astype(f'<u{depth // 8}').tobytes().ljust(row, b'\0')
        for line in (values if down else values[::-1])
    )
    header = struct.pack(
        '<IiiHHIIiiII', 108, width, -height if down else height, 1, depth, 3, len(rows), 3937, 3937, 0, 0
    )  # fmt: skip
    header += struct.pack('<4I', *[*masks, 0][:4]) + bytes(52)
    offset = 14 + len(header)
    return b'BM' + struct.pack('<IHHI', offset + len(rows), 0, 0, offset) + header + rows
