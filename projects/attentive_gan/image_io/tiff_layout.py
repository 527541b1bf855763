"""The layout of a TIFF file, from its tags: size, samples, what they mean and how they are stored.

Tags and their values are those of TIFF 6.0 and its supplements; tifffile reads them, also of BigTIFF.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import IO, Any

import tifffile

from attentive_gan.errors import UserError, shown

#: First bytes of TIFF and BigTIFF files in both byte orders.
TIFF_STARTS = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')

#: Bits of NewSubfileType: a smaller version of another page, and a mask of another page.
_PREVIEW, _MASK = 1, 4

_SAMPLE_FORMATS = {2: 'signed integers', 3: 'floating-point numbers', 5: 'complex numbers'}
_ASSOCIATED, _UNASSOCIATED = 1, 2

# tifffile logs every odd tag; a tag that matters is checked here.
logging.getLogger('tifffile').setLevel(logging.CRITICAL)


class Photometric(IntEnum):
    """Meaning of the samples (tag 262); other values have no name here."""

    WHITE_IS_ZERO = 0
    BLACK_IS_ZERO = 1
    RGB = 2
    PALETTE = 3
    CMYK = 5
    YCBCR = 6
    CIELAB = 8


#: Number of samples per pixel without extra ones.
COLOURS = {
    Photometric.WHITE_IS_ZERO: 1, Photometric.BLACK_IS_ZERO: 1, Photometric.RGB: 3,
    Photometric.CMYK: 4, Photometric.PALETTE: 1, Photometric.CIELAB: 3,
}  # fmt: skip


@dataclass(frozen=True)
class TiffLayout:
    """Layout of the full-size image of a TIFF file."""

    height: int
    """Rows as stored."""
    width: int
    """Columns as stored."""
    samples: int
    """Samples per pixel, extra ones included."""
    bits: int
    """Bits per sample."""
    photometric: int
    """Meaning of the samples, see `Photometric`."""
    planar: bool
    """Whether each sample has a plane of its own."""
    alpha: int | None
    """Index of the sample that holds opacity; None if there is none."""
    associated: bool
    """Whether colours are multiplied by opacity."""
    compression: int
    """Value of the tag Compression."""
    predictor: int
    """1 for none, 2 for differences along rows."""
    orientation: int
    """1 to 8; 1 is upright."""
    big_endian: bool
    """Whether samples of 16 bits start with their high byte."""
    first: bool
    """Whether the image is that of the file's first directory, the only one that Pillow and OpenCV see."""
    segment: tuple[int, int]
    """Rows and columns of a strip or tile."""
    tiled: bool
    """Whether segments at the edges have the full size."""
    offsets: tuple[int, ...]
    """Position of each segment in the file."""
    lengths: tuple[int, ...]
    """Bytes of each segment."""
    directory: int
    """Position of its directory in the file."""
    texts: dict[int, Any]
    """Values of the tags of the directory by number."""

    @property
    def palette(self) -> tuple[int, ...]:
        """All reds, then greens, then blues of a palette, of 16 bits (tag ColorMap); empty without one."""
        stored = self.texts.get(320, ())
        numbers = stored.ravel().tolist() if hasattr(stored, 'ravel') else stored
        return tuple(numbers) if isinstance(numbers, (tuple, list)) else ()

    @property
    def deep(self) -> bool:
        """Whether colours have more than 8 bits; palettes often have 8 in their high bytes or in both."""
        if self.photometric != Photometric.PALETTE:
            return self.bits > 8
        return any(value & 255 not in (0, value >> 8) for value in self.palette)

    @property
    def grey(self) -> bool:
        """Whether there is one colour channel."""
        return self.photometric in (Photometric.WHITE_IS_ZERO, Photometric.BLACK_IS_ZERO)


def read_tiff_layout(stream: IO[bytes], path: str | Path) -> TiffLayout:
    """Read the layout of the one full-size image of a TIFF file; previews and masks do not count.

    Args:
        stream: The file, open for reading in binary mode.
        path: Its name, for messages.

    Raises:
        UserError: There is no full-size image or more than one, or its samples are no unsigned integers of
            equal size.
    """
    with tifffile.TiffFile(stream) as file:
        first, page = _full_page(file, path)
        tags = {tag.code: tag.value for tag in page.tags}
        bits = _bits(tags, path)
        samples, photometric = int(tags.get(277, 1)), int(tags.get(262, 1))
        alpha, associated = _opacity(tags, samples, photometric)
        tiled = 322 in tags
        rows = tags.get(323, 0) if tiled else min(tags.get(278, 2**32 - 1), page.imagelength)
        columns = tags.get(322, 0) if tiled else page.imagewidth
        return TiffLayout(
            height=page.imagelength, width=page.imagewidth, samples=samples, bits=bits,
            photometric=photometric, planar=tags.get(284, 1) == 2 and samples > 1,
            alpha=alpha, associated=associated, compression=int(tags.get(259, 1)),
            predictor=int(tags.get(317, 1)), orientation=_orientation(tags),
            big_endian=file.byteorder == '>', first=first, segment=(int(rows), int(columns)),
            tiled=tiled, offsets=tuple(page.dataoffsets), lengths=tuple(page.databytecounts),
            directory=page.offset, texts=tags,
        )  # fmt: skip


def _full_page(file: tifffile.TiffFile, path: str | Path) -> tuple[bool, Any]:
    """Return whether the full-size page is the first one, and the page."""
    found = []
    for index in range(len(file.pages)):
        page: Any = file.pages.get(index, cache=False, aspage=True)
        if not int(page.subfiletype) & (_PREVIEW | _MASK):
            found.append((index == 0, page))
        if len(found) > 1:
            raise UserError(
                f'{shown(path)} holds several images (pages). Save the wanted one as a file of its own.'
            )
    if not found:
        raise UserError(
            f'{shown(path)} holds a preview only, as the raw files of cameras do. Develop it and save it '
            'as TIFF, PNG or JPEG.'
        )
    page = found[0][1]
    if min(page.imagelength, page.imagewidth) < 1 or page.imagedepth != 1:
        raise UserError(
            f'{shown(path)} is damaged: a directory states no size of its image. '
            'Copy the file again from its source.'
        )
    return found[0]


def _bits(tags: dict[int, Any], path: str | Path) -> int:
    stored, kinds = tags.get(258, 1), tags.get(339, 1)
    bits = set(stored) if isinstance(stored, tuple) else {stored}
    for kind in set(kinds) if isinstance(kinds, tuple) else {kinds}:
        if kind in _SAMPLE_FORMATS:
            raise UserError(
                f'{shown(path)} stores {_SAMPLE_FORMATS[kind]}, not 8 or 16 bits per channel. '
                'Save it with 8 or 16 bits.'
            )
    if len(bits) != 1 or not 1 <= min(bits) <= 16:
        found = ', '.join(str(value) for value in sorted(bits)[:4])
        raise UserError(
            f'{shown(path)} stores {found} bits per channel, not 8 or 16 bits per channel. '
            'Save it with 8 or 16 bits.'
        )
    return int(bits.pop())


def _opacity(tags: dict[int, Any], samples: int, photometric: int) -> tuple[int | None, bool]:
    """Return the index of the opacity and whether colours are multiplied by it.

    Extra samples of no stated kind are no opacity (TIFF 6.0, section 18). A fourth sample of RGB without
    the tag is, as Pillow and libtiff have it.
    """
    colours = COLOURS.get(photometric, samples)  # type: ignore[call-overload]
    extra = tags.get(338)
    if extra is None:
        extra = (_UNASSOCIATED,) if (photometric, samples) == (Photometric.RGB, 4) else ()
    for index, kind in enumerate(extra if isinstance(extra, tuple) else (extra,)):
        if kind in (_ASSOCIATED, _UNASSOCIATED) and colours + index < samples:
            return colours + index, kind == _ASSOCIATED
    return None, False


def _orientation(tags: dict[int, Any]) -> int:
    value = tags.get(274, 1)
    return int(value) if value in range(1, 9) else 1
