"""Writing of animations: each frame is encoded alone, and put into its container as a whole image.

So no frame is merged with an equal one, and none depends on another.
"""

from __future__ import annotations

import io
import struct
from abc import ABC, abstractmethod
from dataclasses import replace
from fractions import Fraction
from typing import IO

import numpy as np
from PIL import Image

from attentive_gan.utils.types import PixelArray

from .animation import Frame
from .encoding import encode
from .formats import FORMATS
from .gif_blocks import read_gif
from .image_file import ImageFile
from .png_chunks import list_chunks, png_chunk


class AnimationWriter(ABC):
    """Writes frames into a file.

    Args:
        stream: The file, open for writing in binary mode, at its start.
        metadata: Profile, EXIF data and the like; as far as the format holds them.
        frames: Number of frames.
        plays: Number of times that it is shown; 0 for endless.
    """

    def __init__(self, stream: IO[bytes], metadata: ImageFile, frames: int, plays: int) -> None:
        self.stream, self.metadata, self.frames, self.plays = stream, metadata, frames, plays
        self.height, self.width = metadata.pixels.shape[:2]
        self.written = 0

    @abstractmethod
    def write(self, frame: Frame, duration: Fraction) -> None:
        """Append a frame.

        Args:
            frame: Colours and opacity; opacity is None for all frames or for none.
            duration: Seconds for which it is shown.
        """

    @abstractmethod
    def close(self) -> None:
        """Complete the file, which stays open."""


class GifWriter(AnimationWriter):
    """Writes GIF89a: up to 256 colours for each frame, opacity of one bit."""

    def write(self, frame: Frame, duration: Fraction) -> None:
        """Append a frame with a palette of its own."""
        if not self.written:
            # No colour table for all frames (flags 0x70: 8 bits per colour).
            self.stream.write(
                b'GIF89a' + struct.pack('<HHBBB', self.width, self.height, 0x70, 0, 0)
            )
            if self.plays != 1:  # repetitions after the first; 0 is endless
                repeats = min(max(self.plays - 1, 0), 65535)
                repeat = b'\x03\x01' + struct.pack('<H', repeats) + b'\0'
                self.stream.write(b'\x21\xff\x0bNETSCAPE2.0' + repeat)
            comment = self.metadata.extras.comment
            if comment:
                parts = [comment[at : at + 255] for at in range(0, len(comment), 255)]
                blocks = b''.join(bytes([len(part)]) + part for part in parts)
                self.stream.write(b'\x21\xfe' + blocks + b'\0')
        image, transparent = palette_image(*frame)
        # Disposal 2 clears the frame, so that the next shows what is behind its transparent pixels.
        flags = (2 if frame[1] is not None else 1) << 2 | (transparent is not None)
        delay = min(round(duration * 100), 65535)
        self.stream.write(struct.pack('<BBBBHBB', 0x21, 0xF9, 4, flags, delay, transparent or 0, 0))
        table, data = _gif_parts(image)
        bits = (len(table) // 3).bit_length() - 1  # there are 2^bits colours
        descriptor = struct.pack('<BHHHHB', 0x2C, 0, 0, self.width, self.height, 0x80 | (bits - 1))
        self.stream.write(descriptor + table + data)
        self.written += 1

    def close(self) -> None:
        """Write the trailer."""
        self.stream.write(b'\x3b')


class PngWriter(AnimationWriter):
    """Writes animated PNG (PNG specification, third edition, section 11.3.4)."""

    def __init__(self, stream: IO[bytes], metadata: ImageFile, frames: int, plays: int) -> None:
        super().__init__(stream, metadata, frames, plays)
        self._sequence = 0

    def write(self, frame: Frame, duration: Fraction) -> None:
        """Append a frame that replaces the one before."""
        encoded = io.BytesIO()
        file = ImageFile(*frame)
        if not self.written:
            file = replace(self.metadata, pixels=frame[0], alpha=frame[1], grey=False)
        encode(encoded, file, FORMATS['PNG'], 100)
        content = encoded.getbuffer()
        chunks = list_chunks(encoded, '')
        first = next(chunk for chunk in chunks if chunk.kind == b'IDAT')
        if not self.written:
            self.stream.write(content[: first.start])
            self.stream.write(png_chunk(b'acTL', struct.pack('>II', self.frames, self.plays)))
        delay = duration.limit_denominator(65535)
        if delay.numerator > 65535:
            delay = Fraction(min(round(delay), 65535))
        control = struct.pack(
            '>IIIIIHHBB', self._number(), self.width, self.height, 0, 0,
            delay.numerator, delay.denominator, 0, 0,
        )  # fmt: skip
        self.stream.write(png_chunk(b'fcTL', control))
        for chunk in chunks:
            if chunk.kind != b'IDAT':
                continue
            data = bytes(content[chunk.start + 8 : chunk.start + 8 + chunk.length])
            if self.written:
                self.stream.write(png_chunk(b'fdAT', struct.pack('>I', self._number()) + data))
            else:
                self.stream.write(png_chunk(b'IDAT', data))
        self.written += 1

    def close(self) -> None:
        """Write the last chunk."""
        self.stream.write(png_chunk(b'IEND', b''))

    def _number(self) -> int:
        self._sequence += 1
        return self._sequence - 1


class WebpWriter(AnimationWriter):
    """Writes animated WebP without loss (WebP container specification)."""

    def write(self, frame: Frame, duration: Fraction) -> None:
        """Append a frame that replaces the one before."""
        if not self.written:
            self._start(frame[1] is not None)
        encoded = io.BytesIO()
        encode(encoded, ImageFile(*frame), FORMATS['WEBP'], 100)
        milliseconds = min(round(duration * 1000), 2**24 - 1)
        # Flag 2: the pixels replace those below, they are not blended.
        header = bytes(6) + _three(self.width - 1) + _three(self.height - 1)
        header += _three(milliseconds) + b'\x02'
        pixels = (
            _riff(kind, data)
            for kind, data in _riff_chunks(encoded.getvalue())
            if kind in (b'ALPH', b'VP8 ', b'VP8L')
        )
        self.stream.write(_riff(b'ANMF', header + b''.join(pixels)))
        self.written += 1

    def close(self) -> None:
        """Write the metadata and the file's length."""
        exif, xmp = self.metadata.exif, self.metadata.extras.xmp
        if exif:
            self.stream.write(_riff(b'EXIF', exif.removeprefix(b'Exif\0\0')))
        if xmp:
            self.stream.write(_riff(b'XMP ', xmp))
        length = self.stream.tell()
        self.stream.seek(4)
        self.stream.write(struct.pack('<I', length - 8))
        self.stream.seek(length)

    def _start(self, transparent: bool) -> None:
        metadata = self.metadata
        flags = 0x02 | 0x10 * transparent | 0x20 * bool(metadata.icc_profile)
        flags |= 0x08 * bool(metadata.exif) | 0x04 * bool(metadata.extras.xmp)
        canvas = _three(self.width - 1) + _three(self.height - 1)
        self.stream.write(b'RIFF\0\0\0\0WEBP' + _riff(b'VP8X', bytes([flags, 0, 0, 0]) + canvas))
        if metadata.icc_profile:
            self.stream.write(_riff(b'ICCP', metadata.icc_profile))
        plays = struct.pack('<H', min(self.plays, 65535))
        self.stream.write(_riff(b'ANIM', bytes(4) + plays))


#: Writers by the name of their format.
WRITERS: dict[str, type[AnimationWriter]] = {
    'GIF': GifWriter, 'PNG': PngWriter, 'WEBP': WebpWriter,
}  # fmt: skip


def palette_image(colours: PixelArray, alpha: PixelArray | None) -> tuple[Image.Image, int | None]:
    """Reduce a frame to a palette: without loss if it has few colours, else by median cut and dithering.

    Args:
        colours: RGB (H, W, 3), uint8.
        alpha: Opacity (H, W), uint8; pixels below 128 become transparent. None if all are opaque.

    Returns:
        An image of mode P, and the index of its transparent colour, or None.
    """
    clear = None if alpha is None else alpha < 128
    most = 256 if clear is None else 255
    packed = colours.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    if clear is not None:
        seen = packed[~clear]
        packed[clear] = seen[0] if seen.size else 0
    found, index = np.unique(packed, return_inverse=True)
    if len(found) <= most:
        palette = np.stack([found >> 16, found >> 8 & 255, found & 255], 1).astype(np.uint8)
        index = index.reshape(packed.shape).astype(np.uint8)
    else:
        image = Image.fromarray(colours)
        few = image.quantize(most, method=Image.Quantize.MEDIANCUT)
        reduced = image.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG)
        palette = np.array(reduced.getpalette('RGB'), np.uint8).reshape(-1, 3)[:most]
        index = np.array(reduced)
    transparent = None
    if clear is not None:
        transparent = len(palette)
        index[clear] = transparent
        palette = np.vstack([palette, np.zeros((1, 3), np.uint8)])
    result = Image.fromarray(index)
    result.putpalette(palette.tobytes())
    return result, transparent


def _gif_parts(image: Image.Image) -> tuple[bytes, bytes]:
    """Return the colour table and the compressed pixels of an image of mode P, by Pillow's encoder."""
    stream = io.BytesIO()
    image.save(stream, 'GIF', interlace=0, optimize=False)
    (encoded,) = read_gif(stream.getvalue()).images
    return encoded.table, encoded.data


def _three(value: int) -> bytes:
    return struct.pack('<I', value)[:3]


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack('<I', len(data)) + data + bytes(len(data) % 2)


def _riff_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 12
    while place + 8 <= len(content):
        kind, length = content[place : place + 4], struct.unpack_from('<I', content, place + 4)[0]
        found.append((kind, content[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    return found
