"""EXIF data as directories of raw entries: copied byte for byte, so that no text or type changes.

Libraries decode texts as Latin-1 and write them as ASCII, and guess types of what they do not know. The
layout is that of TIFF 6.0, section 2, and of the EXIF standard (CIPA DC-008), section 4.6.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Literal

#: Bytes of a value by type; values of other types (64-bit numbers of BigTIFF) cannot be kept.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
#: Tags that point to directories with more tags.
EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 34665, 34853, 40965
_POINTERS = (EXIF_POINTER, GPS_POINTER, INTEROP_POINTER)
ORIENTATION = 274
_RAW_PROFILE = 'Raw profile type exif'
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation\s*(?:=\s*["\']|>)\s*([1-8])')
#: Types of whole numbers, with their codes for `struct`.
_INTEGERS = {1: 'B', 3: 'H', 4: 'I'}
_PREFIX = b'Exif\0\0'
_LONG = 4


@dataclass(frozen=True)
class Entry:
    """A tag with its value as it is stored."""

    tag: int
    """Its number."""
    type: int
    """Number of its type."""
    value: bytes
    """Its value, in the byte order of its directory."""

    @property
    def count(self) -> int:
        """Number of values."""
        return len(self.value) // _SIZES[self.type]


@dataclass
class Directory:
    """Entries, and the directories to which some of them point."""

    order: Literal['<', '>'] = '<'
    """Byte order."""
    entries: list[Entry] = field(default_factory=list)
    """Plain entries."""
    children: dict[int, Directory] = field(default_factory=dict)
    """Other directories by the tag that points to them."""
    broken: list[int] = field(default_factory=list)
    """Numbers of tags whose values cannot be read."""

    def __bool__(self) -> bool:
        """Return whether there is anything."""
        return bool(self.entries or any(self.children.values()))

    def all_broken(self) -> list[int]:
        """Return the broken tags of this and all other directories."""
        return [
            *self.broken,
            *(tag for child in self.children.values() for tag in child.all_broken()),
        ]


def stored_exif(info: Mapping[Any, Any]) -> bytes:
    """Return the EXIF data of a file that Pillow opened; empty if it has none.

    Args:
        info: `Image.info`.
    """
    exif = info.get('exif') or b''
    text = info.get(_RAW_PROFILE)
    if not exif and isinstance(text, str):  # of ImageMagick: name, length, and hexadecimal digits
        with suppress(ValueError):
            exif = bytes.fromhex(''.join(text.split('\n')[3:]))
    return exif if isinstance(exif, bytes) else b''


def orientation_of(info: Mapping[Any, Any]) -> int:
    """Return the orientation, 1 to 8, of a file that Pillow opened: of its EXIF data, else of its XMP.

    Args:
        info: `Image.info`.
    """
    exif = parse_exif(stored_exif(info))
    for entry in exif.entries:
        if entry.tag == ORIENTATION and entry.type in _INTEGERS:
            value = struct.unpack_from(exif.order + _INTEGERS[entry.type], entry.value)[0]
            return value if value in range(1, 9) else 1
    xmp = info.get('xmp') or info.get('XML:com.adobe.xmp') or b''
    found = _XMP_ORIENTATION.search(xmp.encode() if isinstance(xmp, str) else xmp)
    return int(found[1]) if found else 1


def parse_exif(data: bytes) -> Directory:
    """Read EXIF data, which are a TIFF file without pixels; nothing if they are damaged at their start.

    Args:
        data: With or without the name `Exif` before them.
    """
    data = data.removeprefix(_PREFIX)
    if len(data) < 8 or data[:4] not in (b'II*\0', b'MM\0*'):
        return Directory()
    order: Literal['<', '>'] = '<' if data[:2] == b'II' else '>'
    return read_directory(data, struct.unpack_from(f'{order}I', data, 4)[0], order)


def read_directory(
    content: bytes | memoryview,
    start: int,
    order: Literal['<', '>'],
    big: bool = False,
    depth: int = 0,
) -> Directory:
    """Read a directory of a TIFF file.

    Args:
        content: Bytes of the file.
        start: Place of the directory.
        order: Byte order.
        big: Whether the file is a BigTIFF.
        depth: Number of directories that led to this one.
    """
    found = Directory(order)
    head, entry, place = ('Q', 'HHQ', 'Q') if big else ('H', 'HHI', 'I')
    inline = struct.calcsize(f'={place}')
    length = struct.calcsize(f'={entry}') + inline
    first = start + struct.calcsize(f'={head}')
    if first > len(content):
        return found
    number = struct.unpack_from(f'{order}{head}', content, start)[0]
    for at in range(first, min(first + number * length, len(content) - length + 1), length):
        tag, kind, count = struct.unpack_from(f'{order}{entry}', content, at)
        size = _SIZES.get(kind, 0) * count
        begin = at + length - inline
        if size > inline:
            begin = struct.unpack_from(f'{order}{place}', content, begin)[0]
        value = bytes(content[begin : begin + size])
        if not size or len(value) < size:
            found.broken += [tag] if count else []
        elif tag in _POINTERS and size >= 4:
            target = struct.unpack_from(f'{order}{"I" if size == 4 else "Q"}', value)[0]
            if target + 2 > len(content):
                found.broken.append(tag)
            elif depth < 2:
                found.children[tag] = read_directory(content, target, order, big, depth + 1)
        else:
            found.entries.append(Entry(tag, kind, value))
    return found


def exif_bytes(directory: Directory) -> bytes:
    """Return EXIF data, with the name before them."""
    mark = b'II*\0' if directory.order == '<' else b'MM\0*'
    return _PREFIX + mark + struct.pack(f'{directory.order}I', 8) + directory_bytes(directory, 8)


def directory_bytes(directory: Directory, start: int) -> bytes:
    """Return the bytes of a directory, and of those to which it points, at a place of a file."""
    order = directory.order
    children = {tag: child for tag, child in directory.children.items() if child}
    entries = [*directory.entries, *(Entry(tag, _LONG, bytes(4)) for tag in children)]
    entries = sorted({entry.tag: entry for entry in entries}.values(), key=lambda entry: entry.tag)
    table = struct.pack(f'{order}H', len(entries))
    after = start + 2 + 12 * len(entries) + 4
    rest = bytearray()
    for entry in entries:
        value, place = entry.value, after + len(rest)
        if entry.tag in children:
            rest += directory_bytes(children[entry.tag], place)
        elif len(value) > 4:
            rest += value
        if len(value) > 4 or entry.tag in children:
            value = struct.pack(f'{order}I', place)
        rest += bytes(len(rest) % 2)  # values begin at even places
        table += struct.pack(f'{order}HHI', entry.tag, entry.type, entry.count) + value.ljust(
            4, b'\0'
        )
    return table + bytes(4) + bytes(rest)


def write_with_entries(
    stream: IO[bytes], tiff: memoryview, added: Directory, replaced: Iterable[int] = ()
) -> None:
    """Write a classic TIFF file of one directory with more entries.

    Args:
        stream: Receives the file.
        tiff: The file, in the byte order of `added`.
        added: Entries and directories to add; tags that the file has stay as they are.
        replaced: Tags that are taken from `added` nevertheless, if it has them.
    """
    order, padding = added.order, len(tiff) % 2
    own = read_directory(tiff, struct.unpack_from(f'{order}I', tiff, 4)[0], order)
    has = {entry.tag for entry in own.entries} - set(replaced)
    wins = [entry for entry in added.entries if entry.tag not in has]
    taken = {entry.tag for entry in wins}
    kept = [entry for entry in own.entries if entry.tag not in taken]
    start = len(tiff) + padding
    stream.write(tiff[:4])
    stream.write(struct.pack(f'{order}I', start))
    stream.write(tiff[8:])
    stream.write(bytes(padding))
    stream.write(directory_bytes(Directory(order, [*kept, *wins], added.children), start))
