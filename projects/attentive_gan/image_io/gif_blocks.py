"""Blocks of GIF files (GIF89a specification, sections 17 to 26)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_EXTENSION, _IMAGE, _TRAILER, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9
#: Bytes of the signature and the screen descriptor, and of an image descriptor.
_SCREEN, _DESCRIPTOR = 13, 10


@dataclass(frozen=True)
class GifImage:
    """An image of a GIF file."""

    left: int
    """First column."""
    top: int
    """First row."""
    width: int
    """Columns."""
    height: int
    """Rows."""
    interlaced: bool
    """Whether rows are stored in four passes."""
    table: bytes
    """Colour table, 3 * 2^k bytes; empty if there is none."""
    data: bytes
    """Compressed indices, with the size of codes before and the terminator behind."""
    delay: int = 0
    """Hundredths of a second for which it is shown."""
    disposal: int = 0
    """1 keeps it, 2 clears its region, 3 restores what was there."""
    transparent: int | None = None
    """Index of the transparent colour."""

    def alone(self) -> bytes:
        """Return a GIF file of this image, in which nothing is transparent."""
        flags = 0
        if self.table:
            flags = 0x80 | ((len(self.table) // 3).bit_length() - 2)
        screen = struct.pack('<HHBBB', self.width, self.height, flags, 0, 0)
        place = struct.pack(
            '<BHHHHB', _IMAGE, 0, 0, self.width, self.height, 0x40 * self.interlaced
        )
        return b'GIF89a' + screen + self.table + place + self.data + bytes([_TRAILER])


@dataclass(frozen=True)
class Gif:
    """A GIF file."""

    width: int
    """Columns of the image."""
    height: int
    """Rows of the image."""
    images: list[GifImage]
    """At least one."""


def read_gif(content: bytes) -> Gif:
    """Read the blocks of a GIF file; a missing trailer is no fault.

    Raises:
        LookupError, struct.error, ValueError: The file is truncated or damaged.
    """
    width, height, flags = struct.unpack_from('<HHB', content, 6)
    table, place = _table(content, _SCREEN, flags)
    images: list[GifImage] = []
    control: tuple[int, int, int | None] = (0, 0, None)
    while place < len(content) and content[place] != _TRAILER:
        if content[place] == _EXTENSION:
            if content[place + 1] == _CONTROL:
                control = _control(content, place)
            place = _after_blocks(content, place + 2)
        elif content[place] == _IMAGE:
            left, top, columns, rows, local = struct.unpack_from('<HHHHB', content, place + 1)
            own, start = _table(content, place + _DESCRIPTOR, local)
            place = _after_blocks(content, start + 1)
            images.append(
                GifImage(
                    left, top, columns, rows, bool(local & 0x40), own or table,
                    content[start:place], *control,
                )
            )  # fmt: skip
            control = (0, 0, None)
        else:  # such as superfluous terminators, which some programs write
            place += 1
    if not images:
        raise ValueError('no image')
    return Gif(width, height, images)


def _table(content: bytes, place: int, flags: int) -> tuple[bytes, int]:
    """Return a colour table, empty if flags state none, and the place behind it."""
    if not flags & 0x80:
        return b'', place
    end = place + 3 * 2 ** ((flags & 7) + 1)
    return content[place:end], end


def _control(content: bytes, place: int) -> tuple[int, int, int | None]:
    """Return delay, disposal and transparent index of a graphic control extension."""
    flags, delay, index = struct.unpack_from('<BHB', content, place + 3)
    return delay, flags >> 2 & 7, index if flags & 1 else None


def _after_blocks(content: bytes, place: int) -> int:
    """Return the place behind sub-blocks and their terminator."""
    while content[place]:
        place += content[place] + 1
    return place + 1
