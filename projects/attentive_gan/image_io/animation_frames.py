"""Frames of animated GIF, PNG and WebP files as they are shown, from the parts that the files store.

Pillow decodes the parts. It does not compose those of PNG right where they are partly transparent, nor
those of GIF where they are cleared or exceed the image.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from attentive_gan.utils.types import PixelArray

from .decoding import decode
from .gif_blocks import GifImage, read_gif
from .headers import too_large
from .png_chunks import PNG_SIGNATURE, list_chunks, png_chunk

#: Colours and opacity (H, W, 4) at a frame, and the seconds for which it is shown.
Shown = tuple[PixelArray, Fraction]

#: What happens to the region of a frame after it was shown.
_KEEP, _CLEAR, _RESTORE = range(3)


@dataclass(frozen=True)
class _Part:
    """What a file stores for one frame."""

    pixels: PixelArray
    """Colours and opacity (h, w, 4)."""
    left: int
    """First column."""
    top: int
    """First row."""
    disposal: int
    """What happens to its region afterwards."""
    blend: bool
    """Whether it is blended with what is below; otherwise it replaces it."""


class _Canvas:
    """The image on which parts are put, transparent at first."""

    def __init__(self, height: int, width: int, kind: Any) -> None:
        self.pixels: PixelArray = np.zeros((height, width, 4), kind)

    def show(self, part: _Part) -> PixelArray:
        """Return a copy of the image with a part, and dispose of the part."""
        height, width = part.pixels.shape[:2]
        region = self.pixels[part.top : part.top + height, part.left : part.left + width]
        pixels = part.pixels[: region.shape[0], : region.shape[1]]  # what exceeds the image is cut
        before = region.copy()
        region[...] = _over(pixels, region) if part.blend else pixels
        shown: PixelArray = self.pixels.copy()
        if part.disposal == _CLEAR:
            region[...] = 0
        elif part.disposal == _RESTORE:
            region[...] = before
        return shown


def _over(above: PixelArray, below: PixelArray) -> PixelArray:
    """Blend pixels (H, W, 4) over others (PNG specification, section 11.3.4.3)."""
    full = np.iinfo(above.dtype).max
    opacity = above[..., 3:].astype(np.float64) / full
    rest = below[..., 3:].astype(np.float64) / full * (1 - opacity)
    total = opacity + rest
    mixed = (above[..., :3] * opacity + below[..., :3] * rest) / np.where(total > 0, total, 1)
    result: PixelArray = np.rint(np.concatenate([mixed, total * full], 2)).astype(above.dtype)
    return result


def shown_frames(content: bytes, kind: str, path: Path, max_pixels: int) -> Iterator[Shown]:
    """Yield the whole image at each frame.

    Args:
        content: Bytes of the file.
        kind: `GIF`, `PNG` or `WEBP`.
        path: Its name, for messages.
        max_pixels: Largest accepted number of pixels.

    Raises:
        UserError: A frame is too large, or damaged.
        ValueError, LookupError, struct.error, OSError: The file is damaged.
    """
    frames = {'GIF': _gif_frames, 'PNG': _png_frames, 'WEBP': _webp_frames}[kind]
    return frames(content, path, max_pixels)


def _webp_frames(content: bytes, _path: Path, _max_pixels: int) -> Iterator[Shown]:
    with Image.open(io.BytesIO(content), formats=('WEBP',)) as image:
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            milliseconds = image.info.get('duration', 0)
            yield np.array(image.convert('RGBA')), Fraction(milliseconds, 1000)


def _gif_frames(content: bytes, path: Path, max_pixels: int) -> Iterator[Shown]:
    gif = read_gif(content)
    # Programs that show GIFs enlarge the image to the first frame.
    height = max(gif.height, gif.images[0].top + gif.images[0].height)
    width = max(gif.width, gif.images[0].left + gif.images[0].width)
    canvas = _Canvas(height, width, np.uint8)
    for image in gif.images:
        if max(image.height * image.width, height * width) > max_pixels:
            raise too_large(
                path, f'{max(image.width, width)}x{max(image.height, height)}', max_pixels
            )
        disposal = {2: _CLEAR, 3: _RESTORE}.get(image.disposal, _KEEP)
        part = _Part(_gif_pixels(image), image.left, image.top, disposal, blend=True)
        yield canvas.show(part), Fraction(image.delay, 100)


def _gif_pixels(image: GifImage) -> PixelArray:
    with Image.open(io.BytesIO(image.alone()), formats=('GIF',)) as decoded:
        decoded.load()
        indices = np.asarray(decoded)
        colours = np.array(decoded.convert('RGBA'))
    if image.transparent is not None:
        colours[indices == image.transparent, 3] = 0
    return colours


def _png_frames(content: bytes, path: Path, max_pixels: int) -> Iterator[Shown]:
    width, height = struct.unpack_from('>II', content, 16)
    start, shared = _shared_chunks(content, path)
    canvas: _Canvas | None = None
    for control, data in _png_parts(content, path):
        columns, rows, left, top, numerator, denominator, dispose, blend = struct.unpack(
            '>IIIIHHBB', control
        )
        if left + columns > width or top + rows > height or not data:
            raise ValueError(f'a frame of {columns}x{rows} at {left}, {top}')
        header = png_chunk(b'IHDR', struct.pack('>II', columns, rows) + start)
        stored = png_chunk(b'IDAT', data) + png_chunk(b'IEND', b'')
        frame = decode(PNG_SIGNATURE + header + shared + stored, path, max_pixels)
        kind = frame.pixels.dtype
        if canvas is None:
            canvas = _Canvas(height, width, kind)
            dispose = _CLEAR if dispose == _RESTORE else dispose
        opaque = np.full((rows, columns), np.iinfo(kind).max, kind)
        pixels = np.dstack([frame.pixels, opaque if frame.alpha is None else frame.alpha])
        part = _Part(pixels, left, top, dispose, blend == 1)
        yield canvas.show(part), Fraction(numerator, denominator or 100)


def _shared_chunks(content: bytes, path: Path) -> tuple[bytes, bytes]:
    """Return the end of the IHDR chunk, behind the size, and the chunks of palette and opacity."""
    shared = b''.join(
        content[chunk.start : chunk.end]
        for chunk in list_chunks(io.BytesIO(content), path)
        if chunk.kind in (b'PLTE', b'tRNS')
    )
    return content[24:29], shared


def _png_parts(content: bytes, path: Path) -> list[tuple[bytes, bytes]]:
    """Return the control and the compressed pixels of each frame.

    Raises:
        ValueError, LookupError: There are fewer frames than stated, or they are not in their order.
    """
    parts: list[tuple[bytes, list[bytes]]] = []
    numbers: list[int] = []
    stated = 0
    for chunk in list_chunks(io.BytesIO(content), path):
        data = content[chunk.start + 8 : chunk.end - 4]
        if chunk.kind in (b'fcTL', b'fdAT', b'acTL'):
            number = struct.unpack_from('>I', data)[0]
            if chunk.kind == b'acTL':
                stated = number
                continue
            numbers.append(number)
        if chunk.kind == b'fcTL':
            parts.append((data[4:], []))
        elif chunk.kind == b'fdAT':
            parts[-1][1].append(data[4:])
        elif chunk.kind == b'IDAT' and parts:  # without a control before it, it is no frame
            parts[-1][1].append(data)
    if numbers != list(range(len(numbers))) or len(parts) < stated:
        raise ValueError(f'{len(parts)} of {stated} frames, or not in their order')
    return [(control, b''.join(data)) for control, data in parts[:stated]]
