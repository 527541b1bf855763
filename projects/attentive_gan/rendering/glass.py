"""The wet glass: drops stamped into a grid, and the light that comes through them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .placement import Drops
from .sprites import FULL, Pixels, decode, sprite

#: Sprites may be this much wider than 2 * radius.
_REACH = 2.2


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
    grid = np.zeros((height, width), np.int64)
    tops, lefts = drops.down - rows[0], drops.across - columns[0]
    places = zip(
        tops.tolist(), lefts.tolist(), drops.shape.tolist(), drops.size.tolist(),
        drops.rank.tolist(), strict=True,
    )  # fmt: skip
    for middle_down, middle_across, shape, size, rank in places:
        drop = sprite(shape, size)
        reach = len(drop) // 2
        top, left = middle_down - reach, middle_across - reach
        bottom, right = top + len(drop), left + len(drop)
        if bottom <= 0 or right <= 0 or top >= height or left >= width:
            continue
        if top < 0 or left < 0 or bottom > height or right > width:
            drop = drop[
                max(0, -top) : height - top if bottom > height else None,
                max(0, -left) : width - left if right > width else None,
            ]
            top, left = max(top, 0), max(left, 0)
        part = grid[top : top + drop.shape[0], left : left + drop.shape[1]]
        np.maximum(part, drop + rank, out=part)
    return decode(grid)


def through_drops(
    pixels: Pixels,
    environment: NDArray,
    angles: tuple[NDArray[np.int64], NDArray[np.int64]],
    rim: NDArray[np.float64],
) -> tuple[NDArray, NDArray]:
    """Return what each pixel of the glass covers, and the light that its drop sends to the camera.

    Args:
        pixels: Drops on a part of the glass, (H, W).
        environment: Radiances in all directions (see `environment_map`).
        angles: Row (H,) and column (W,) of the environment map at which the camera looks through each row
            and column of the glass, in 1/32 of a pixel.
        rim: Radiance (3,) that is reflected where a drop does not transmit.

    Returns:
        Coverage (H, W), whole numbers 0 to `FULL`, and premultiplied radiance (H, W, 3), whole numbers in
        the environment's unit. Both have the environment's type.
    """
    kind = environment.dtype.type
    down = ((pixels.down + angles[0][:, None]) * (1 / 32)).astype(np.float32)
    across = ((pixels.across + angles[1]) * (1 / 32)).astype(np.float32)
    seen = cv2.remap(
        environment, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )  # fmt: skip
    coverage = pixels.coverage.astype(kind)
    passed = (coverage * pixels.transmission.astype(kind)) * kind(1 / FULL**2)
    reflected = coverage * kind(1 / FULL) - passed
    light = seen
    light *= passed[..., None]
    light += reflected[..., None] * rim.astype(kind)
    return coverage, np.rint(light, out=light)
