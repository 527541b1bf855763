"""The wet glass: drops stamped into a grid, and the light that comes through them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .placement import Drops
from .sprites import (
    FULL,
    SIZE_RATIO,
    SMALL_SIDE,
    SMALL_SIZES,
    SMALLEST_RADIUS,
    Pixels,
    Sprite,
    decode,
    small_sprites,
    sprite,
)

_HALF = SMALL_SIDE // 2
_MARGIN = SMALL_SIDE

#: Pixels of a drop lie within this many radii.
_REACH = 2.1


def stamp(drops: Drops, rows: tuple[int, int], columns: tuple[int, int]) -> Pixels:
    """Place drops on a part of the glass.

    Where drops overlap, the one that covers more of a pixel wins, of two that cover it fully the one with
    the higher rank; so the order of placing, and the part that is asked for, do not matter.

    Args:
        drops: Drops with places in pixels of the glass.
        rows: First row of the part, and the one after its last; they may lie beyond the glass.
        columns: The same for columns.
    """
    height, width = rows[1] - rows[0], columns[1] - columns[0]
    # With a margin, small drops need no clipping.
    grid = np.zeros((height + 2 * _MARGIN, width + 2 * _MARGIN), np.int64)
    tops, lefts = drops.down - rows[0] + _MARGIN, drops.across - columns[0] + _MARGIN
    near = (tops >= _HALF) & (lefts >= _HALF)
    near &= (tops < height + 2 * _MARGIN - _HALF) & (lefts < width + 2 * _MARGIN - _HALF)
    small = drops.size < SMALL_SIZES
    chosen = small & near
    _stamp_small(grid, tops[chosen], lefts[chosen], drops, chosen)
    reach = _REACH * SMALLEST_RADIUS * SIZE_RATIO**drops.size + 2
    large = ~small & (tops > -reach) & (lefts > -reach)
    large &= (tops < height + 2 * _MARGIN + reach) & (lefts < width + 2 * _MARGIN + reach)
    for number in np.flatnonzero(large).tolist():
        drop = sprite(int(drops.shape[number]), int(drops.size[number]))
        _stamp_large(grid, drop + drops.rank[number], int(tops[number]), int(lefts[number]))
    return decode(grid[_MARGIN : _MARGIN + height, _MARGIN : _MARGIN + width])


def _stamp_small(
    grid: NDArray[np.int64],
    tops: NDArray[np.int64],
    lefts: NDArray[np.int64],
    drops: Drops,
    chosen: NDArray[np.bool_],
) -> None:
    """Place the chosen small drops all at once; there are hundreds, of a few pixels each."""
    places = np.arange(-_HALF, _HALF + 1)
    offsets = (places[:, None] * grid.shape[1] + places).ravel()
    pixels = small_sprites(drops.shape[chosen], drops.size[chosen]) + drops.rank[chosen, None]
    where = (tops * grid.shape[1] + lefts)[:, None] + offsets
    np.maximum.at(grid.reshape(-1), where.ravel(), pixels.ravel())


def _stamp_large(grid: NDArray[np.int64], drop: Sprite, down: int, across: int) -> None:
    """Place one drop with its middle at a row and column, as far as it lies on the grid."""
    reach = len(drop) // 2
    top, left = down - reach, across - reach
    bottom, right = top + len(drop), left + len(drop)
    height, width = grid.shape
    if bottom <= 0 or right <= 0 or top >= height or left >= width:
        return
    if top < 0 or left < 0 or bottom > height or right > width:
        drop = drop[
            max(0, -top) : height - top if bottom > height else None,
            max(0, -left) : width - left if right > width else None,
        ]
        top, left = max(top, 0), max(left, 0)
    part = grid[top : top + drop.shape[0], left : left + drop.shape[1]]
    np.maximum(part, drop, out=part)


def through_drops(
    pixels: Pixels,
    environment: NDArray[Any],
    angles: tuple[NDArray[np.int64], NDArray[np.int64]],
    rim: NDArray[np.float64],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what each pixel of the glass covers, and the light that its drop sends to the camera.

    Args:
        pixels: Drops on a part of the glass, (H, W).
        environment: Radiances in all directions (see `environment_map`).
        angles: Row (H,) and column (W,) of the environment map of the direction through each row
            and column of the glass, in 1/32 of a pixel.
        rim: Radiance (3,) that is reflected where a drop does not transmit.

    Returns:
        Coverage (H, W), whole numbers 0 to `FULL`, and premultiplied radiance (H, W, 3), whole numbers in
        the environment's unit. Both have the environment's type.
    """
    kind = environment.dtype.type
    down = ((pixels.down + angles[0][:, None]) * (1 / 32)).astype(np.float32)
    across = ((pixels.across + angles[1]) * (1 / 32)).astype(np.float32)
    light = cv2.remap(environment, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    coverage = pixels.coverage.astype(kind)
    passed = (coverage * pixels.transmission.astype(kind)) * kind(1 / FULL**2)
    reflected = coverage * kind(1 / FULL) - passed
    light *= passed[..., None]
    light += reflected[..., None] * rim.astype(kind)
    return coverage, np.rint(light, out=light)
