"""Chunks of PNG files: their places, and the metadata that stands behind the pixels."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError, shown

PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'

#: Chunks of the pixels: of the image, and of the frames of an animation.
_PIXELS = (b'IDAT', b'fdAT', b'fcTL', b'acTL')


#: Number of colours of the colour types without palette and opacity (IHDR).
_COLOURS = {0: 1, 2: 3}


class Chunk(NamedTuple):
    """A chunk (PNG specification, section 5.3)."""

    kind: bytes
    """Its four letters."""
    start: int
    """Position of its length in the file."""
    length: int
    """Bytes of its data."""

    @property
    def end(self) -> int:
        """Position behind its checksum."""
        return self.start + 12 + self.length


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return the bytes of a chunk."""
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def list_chunks(stream: IO[bytes], path: str | Path) -> list[Chunk]:
    """Return the chunks of a PNG file up to its end marker; their data are not read.

    Args:
        stream: The file, open for reading in binary mode.
        path: Its name, for messages.

    Raises:
        UserError: A chunk states more bytes than the file has. Decoders would reserve memory for them.
    """
    size = stream.seek(0, io.SEEK_END)
    chunks: list[Chunk] = []
    position = len(PNG_SIGNATURE)
    while position + 8 <= size and (not chunks or chunks[-1].kind != b'IEND'):
        stream.seek(position)
        length, kind = struct.unpack('>I4s', stream.read(8))
        chunks.append(Chunk(kind, position, length))
        position = chunks[-1].end
        if position > size:
            raise UserError(
                f'{shown(path)} is truncated or damaged (a chunk states {length} bytes, the file has '
                f'{size}). Copy the file again from its source.'
            )
    return chunks


def transparent_colour(content: bytes) -> NDArray[Any] | None:
    """Return the transparent colour of a grey or RGB file (PNG specification, section 11.3.1.1).

    Args:
        content: Bytes of a PNG file.

    Returns:
        One or three values, scaled to 8 bits for files of up to 8, else of 16; None if there is none.
    """
    depth, kind = content[24], content[25]
    if kind not in _COLOURS:
        return None
    for chunk in list_chunks(io.BytesIO(content), ''):
        if chunk.kind == b'tRNS' and chunk.length >= 2 * _COLOURS[kind]:
            stored = struct.unpack_from(f'>{_COLOURS[kind]}H', content, chunk.start + 8)
            values: NDArray[Any] = np.array(stored, np.uint32) & (2**depth - 1)
            return values if depth == 16 else values * 255 // (2**depth - 1)
    return None


def with_metadata_first(stream: IO[bytes], path: str | Path, pixels: bool) -> IO[bytes]:
    """Return a PNG file whose metadata stand before its pixels, where Pillow reads them at once.

    Args:
        stream: The file, open for reading in binary mode.
        path: Its name, for messages.
        pixels: Whether the returned file must hold the pixels too.

    Returns:
        The same stream, at its start, if the file is so already; otherwise a new one in memory.

    Raises:
        UserError: As `list_chunks`.
    """
    chunks = list_chunks(stream, path)
    kinds = [chunk.kind for chunk in chunks]
    first = kinds.index(b'IDAT') if b'IDAT' in kinds else len(kinds)
    late = [chunk for chunk in chunks[first:] if chunk.kind not in (*_PIXELS, b'IEND')]
    if not late:
        stream.seek(0)
        return stream
    rest = [chunk for chunk in chunks[first:] if pixels and chunk not in late]
    parts = [PNG_SIGNATURE]
    for chunk in (*chunks[:first], *late, *rest):
        stream.seek(chunk.start)
        parts.append(stream.read(chunk.end - chunk.start))
    if not pixels:
        parts += [png_chunk(b'IDAT', b''), png_chunk(b'IEND', b'')]
    return io.BytesIO(b''.join(parts))
