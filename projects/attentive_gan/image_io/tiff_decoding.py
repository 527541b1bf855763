"""Decoding of TIFF layouts of 1 to 16 bits: grey, palettes, RGB, CMYK and Lab.

Neither Pillow nor OpenCV reads all of these right (planes of 16 bits become stripes, white-is-zero stays
negative, multiplied colours stay dark), so only the compression is left to libraries.
"""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import PixelArray

from .lab import rgb_of_lab
from .pixels import divided
from .tiff_layout import COLOURS, Photometric, TiffLayout

_NONE = 1
_DEFLATE = (8, 32946)
_LZMA = 34925
#: Codecs of bytes, which libtiff undoes whatever the bytes mean: LZW, PackBits, Zstandard.
_BY_LIBTIFF = (5, 32773, 50000)
#: Codecs that Pillow's libtiff has, for layouts that are not decoded here: CCITT, JPEG and the above.
_BY_PILLOW = (_NONE, *_DEFLATE, _LZMA, *_BY_LIBTIFF, 2, 3, 4, 6, 7, 32771)

_MORE_SAMPLES = 16
#: Bytes with their bits in reverse order (FillOrder 2).
_REVERSED = bytes(int(f'{byte:08b}'[::-1], 2) for byte in range(256))


def is_decoded_here(layout: TiffLayout) -> bool:
    """Return whether `decode_tiff` reads a layout; Pillow reads the others, if they are sound for it."""
    return (
        1 <= layout.bits <= 16
        and layout.photometric in COLOURS
        and COLOURS[Photometric(layout.photometric)] <= layout.samples <= _MORE_SAMPLES
        and (layout.photometric != Photometric.CIELAB or layout.bits in (8, 16))
        and layout.compression in (_NONE, *_DEFLATE, _LZMA, *_BY_LIBTIFF)
        and (layout.predictor == 1 or (layout.predictor == 2 and layout.bits in (8, 16)))
        and layout.texts.get(332, 1) == 1  # InkSet: CMYK
    )


def check_layout(layout: TiffLayout, path: str | Path) -> None:
    """Refuse layouts that no decoder here reads right.

    Raises:
        UserError: The layout is none of `is_decoded_here`, nor one that Pillow reads right.
    """
    planes = layout.planar and (layout.photometric, layout.samples) != (Photometric.RGB, 3)
    by_pillow = layout.bits <= 8 and layout.first and not planes
    if not (is_decoded_here(layout) or (by_pillow and layout.compression in _BY_PILLOW)):
        raise unusual_layout(layout, path)


def unusual_layout(layout: TiffLayout, path: str | Path) -> UserError:
    """Return the error for a layout that is not read."""
    return UserError(
        f'{shown(path)} has an unusual TIFF layout that is not read ({layout.bits} bits, photometric '
        f'{layout.photometric}, compression {layout.compression}, {layout.samples} samples'
        f'{" in planes" if layout.planar else ""}). Save it as PNG, or as TIFF without compression.'
    )


def decode_tiff(
    content: bytes, layout: TiffLayout, path: str | Path
) -> tuple[PixelArray, PixelArray | None]:
    """Decode the pixels of a TIFF file.

    Args:
        content: Bytes of the file.
        layout: Its layout, for which `is_decoded_here` holds.
        path: Its name, for messages.

    Returns:
        Colours (H, W, 3) as stored, not turned upright, and opacity (H, W) or None; uint8 or uint16.

    Raises:
        UserError: The file is truncated or damaged.
    """
    samples = _samples(content, layout, path)
    colours = samples[..., : COLOURS[Photometric(layout.photometric)]]
    alpha = None if layout.alpha is None else np.ascontiguousarray(samples[..., layout.alpha])
    if layout.photometric == Photometric.PALETTE:
        colours = _from_palette(colours[..., 0], layout, path)
    else:
        colours = _full_range(colours, layout.bits)
    if alpha is not None:
        alpha = _full_range(alpha, layout.bits)
        if alpha.dtype != colours.dtype:  # a palette of another depth
            alpha = alpha.astype(np.uint16) * 257 if layout.deep else (alpha >> 8).astype(np.uint8)
    if alpha is not None and layout.associated:
        colours = divided(colours, alpha)
    if layout.photometric == Photometric.WHITE_IS_ZERO:
        colours = np.iinfo(colours.dtype).max - colours
    elif layout.photometric == Photometric.CMYK:
        colours = _rgb_of_cmyk(colours)
    elif layout.photometric == Photometric.CIELAB:
        colours = rgb_of_lab(colours)
    return np.broadcast_to(colours, (*colours.shape[:2], 3)), alpha


def _samples(content: bytes, layout: TiffLayout, path: str | Path) -> PixelArray:
    """Return all samples (H, W, samples) from strips or tiles."""
    rows, columns = layout.segment
    planes, depth = (layout.samples, 1) if layout.planar else (1, layout.samples)
    limit = 4 * (layout.height + 2**12) * (layout.width + 2**12)
    if min(rows, columns) < 1 or rows * columns > limit:
        raise _damaged(path, f'strips of {columns}x{rows}')
    down, across = -(-layout.height // rows), -(-layout.width // columns)
    if min(len(layout.offsets), len(layout.lengths)) < planes * down * across:
        raise _damaged(path, f'{len(layout.offsets)} of {planes * down * across} strips')
    kind = np.dtype(np.uint8 if layout.bits <= 8 else np.uint16)
    result = np.empty((layout.height, layout.width, layout.samples), kind)
    for index in range(planes * down * across):
        plane, place = divmod(index, down * across)
        top, left = place // across * rows, place % across * columns
        high = rows if layout.tiled else min(rows, layout.height - top)
        segment = _segment(content, layout, index, (high, columns, depth), path)
        part = result[top : top + rows, left : left + columns, plane : plane + depth]
        part[...] = segment[: part.shape[0], : part.shape[1]]
    return result


def _segment(
    content: bytes, layout: TiffLayout, index: int, shape: tuple[int, int, int], path: str | Path
) -> NDArray[Any]:
    """Return the samples of one strip or tile."""
    bits = layout.bits
    row = -(-shape[1] * shape[2] * bits // 8)  # rows begin at whole bytes
    size = shape[0] * row
    start, length = layout.offsets[index], layout.lengths[index]
    stored = content[start : start + length]
    if len(stored) < length or not length:
        raise _damaged(path, f'strip {index} of {length} bytes at {start}')
    if layout.texts.get(266, 1) == 2:  # FillOrder
        stored = stored.translate(_REVERSED)
    if layout.compression in _DEFLATE:
        stored = zlib.decompressobj().decompress(stored, size)
    elif layout.compression == _LZMA:
        stored = lzma.LZMADecompressor().decompress(stored, size)
    elif layout.compression != _NONE:
        stored = _by_libtiff(stored, layout.compression, shape[0], row)
    if len(stored) < size:
        raise _damaged(path, f'strip {index} holds {len(stored)} of {size} bytes')
    if bits not in (8, 16):
        return _unpacked(np.frombuffer(stored, np.uint8, size).reshape(shape[0], row), shape, bits)
    kind = np.dtype(np.uint8 if bits == 8 else '>u2' if layout.big_endian else '<u2')
    samples = np.frombuffer(stored, kind, 8 * size // bits).reshape(shape)
    if layout.predictor == 2:
        native = samples.astype(np.uint8 if bits == 8 else np.uint16)
        return np.add.accumulate(native, axis=1, dtype=native.dtype)
    return samples


def _unpacked(
    stored: NDArray[np.uint8], shape: tuple[int, int, int], bits: int
) -> NDArray[np.uint16]:
    """Return samples of any number of bits, stored one after another with the high bit first.

    Args:
        stored: Bytes of each row (rows, bytes).
        shape: Rows, columns, samples per pixel.
        bits: Bits per sample.
    """
    values = np.empty((shape[0], shape[1] * shape[2]), np.uint16)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    for first in range(0, shape[0], 64):  # a byte for each bit: a few rows at a time
        digits = np.unpackbits(stored[first : first + 64], axis=1)[:, : values.shape[1] * bits]
        values[first : first + 64] = digits.reshape(len(digits), -1, bits) @ weights
    return values.reshape(shape)


def _full_range(samples: PixelArray, bits: int) -> PixelArray:
    """Scale samples to 0 to 255, or to 0 to 65535 from 9 bits on."""
    if bits in (8, 16):
        return samples
    kind = np.uint8 if bits < 8 else np.uint16
    top, full = 2**bits - 1, int(np.iinfo(kind).max)
    table: NDArray[Any] = ((np.arange(top + 1, dtype=np.uint32) * full + top // 2) // top).astype(
        kind
    )
    scaled: PixelArray = table[samples]
    return scaled


def _from_palette(indices: PixelArray, layout: TiffLayout, path: str | Path) -> PixelArray:
    """Return the colours (H, W, 3) of indices (H, W)."""
    stored = layout.palette
    if len(stored) != 3 * 2**layout.bits:
        raise _damaged(path, f'a palette of {len(stored)} numbers for {layout.bits} bits')
    table: NDArray[Any] = np.array(stored, np.uint16).reshape(3, -1).T
    if not layout.deep:
        table = (table >> 8).astype(np.uint8)
    colours: PixelArray = table[indices]
    return colours


def _by_libtiff(stored: bytes, compression: int, rows: int, columns: int) -> bytes:
    """Undo a compression of bytes by libtiff: the segment is wrapped as a grey image of one strip."""
    entries = (
        (256, columns), (257, rows), (258, 8), (259, compression), (262, 1), (273, 8), (277, 1),
        (278, rows), (279, len(stored)),
    )  # fmt: skip
    directory = b''.join(struct.pack('<HHII', tag, 4, 1, value) for tag, value in entries)
    at = 8 + len(stored) + len(stored) % 2
    start = struct.pack('<2sHI', b'II', 42, at)
    wrapped = start + stored + bytes(len(stored) % 2)
    wrapped += struct.pack('<H', len(entries)) + directory + bytes(4)
    with Image.open(io.BytesIO(wrapped), formats=('TIFF',)) as image:
        return bytes(image.tobytes())


def _rgb_of_cmyk(inks: PixelArray) -> PixelArray:
    """Return (1 - ink) (1 - black), the plain formula by which Pillow converts 8 bits."""
    top = int(np.iinfo(inks.dtype).max)
    result = np.empty((*inks.shape[:2], 3), inks.dtype)
    for first in range(0, len(inks), 256):
        light = top - inks[first : first + 256].astype(np.uint64)
        result[first : first + 256] = (light[..., :3] * light[..., 3:] + top // 2) // top
    return result


def _damaged(path: str | Path, what: str) -> UserError:
    return UserError(
        f'{shown(path)} is truncated or damaged (decoding: {what}). Copy the file again from its source.'
    )
