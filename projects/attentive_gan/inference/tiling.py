"""Cuts an image into tiles of about equal size, each read with a halo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Tile:
    """A part of one side of an image."""

    first: int
    """First row whose result is kept."""
    last: int
    """First row after these."""
    read_first: int
    """First row that the network reads."""
    read_last: int
    """First row after these."""


def tiles(side: int, size: int, before: int, after: int, multiple: int) -> Iterator[Tile]:
    """Cut one side of an image.

    Args:
        side: Rows of the image.
        size: Rows of a tile's result at most; rounded down to a multiple, at least one.
        before: Rows that the network reads before the tile, where there are any.
        after: Rows that it reads after it. Both are rounded up to multiples, so that strides of the network
            fall on the same rows as in the whole image.
        multiple: The network's size multiple.
    """
    size = max(size // multiple, 1) * multiple
    before, after = (-(-halo // multiple) * multiple for halo in (before, after))
    count = -(-side // size)
    # Tiles of about equal size: no narrow rest.
    size = -(-side // (count * multiple)) * multiple
    for first in range(0, side, size):
        last = min(first + size, side)
        yield Tile(first, last, max(first - before, 0), min(last + after, side))


def tile_side(bytes_per_pixel: float, budget: int, reach: tuple[int, int], multiple: int) -> int:
    """Return the side of the largest square tile that fits, a multiple of `multiple`, at least one.

    Args:
        bytes_per_pixel: What the network takes for each pixel that it reads.
        budget: Bytes that it may take.
        reach: Pixels that it reads before and after a tile.
        multiple: The network's size multiple.
    """
    halo = sum(-(-r // multiple) * multiple for r in reach)
    side = int((budget / bytes_per_pixel) ** 0.5) - halo
    return max(side // multiple * multiple, multiple)
