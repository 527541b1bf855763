"""Rows of an image as a network takes them, and rows of a network's result as pixels.

Only the rows in work are ever floating-point numbers: an image of 48 million pixels would take 576 MB.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attentive_gan.models.networks.padding import PaddingMode
from attentive_gan.utils.types import RasterArray

#: Largest part that is copied through pinned memory, in bytes; torch keeps such memory for good.
PINNED_BYTES = 32 * 2**20


class PaddedRows:
    """Gives rows of an image, padded at the bottom and right to multiples, like `pad_to_multiple`.

    Args:
        pixels: Image (H, W, C): uint8 or uint16, which become 0 to 1, or float32, which stays.
        multiple: What the sides become multiples of.
        mode: How they are padded.
        like: A value of the type and on the device that the network works with.
        columns: First and last (exclusive) column of the padded image that is given; default all.
        reverse: Whether to exchange red and blue.
    """

    def __init__(
        self,
        pixels: RasterArray,
        multiple: int,
        mode: PaddingMode,
        like: Tensor,
        columns: tuple[int, int] | None = None,
        reverse: bool = False,
    ) -> None:
        self._pixels = pixels
        self._rows = padded_positions(pixels.shape[0], multiple, mode)
        self._columns = padded_positions(pixels.shape[1], multiple, mode)
        if columns is not None:
            self._columns = self._columns[slice(*columns)]
        self._like = like
        self._step = -1 if reverse else 1
        self._white = white(pixels.dtype)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that are given."""
        return len(self._rows), len(self._columns)

    def __call__(self, first: int, last: int) -> Tensor:
        """Return rows [first, last) as (1, C, rows, columns)."""
        part = _taken(self._pixels, self._rows[first:last], self._columns)
        part = np.ascontiguousarray(part[..., :: self._step])
        if part.dtype == np.uint16:
            part = part.astype(np.float32)  # torch has few operations for uint16
        values = to_device(part, self._like.device)
        # Dividing in float32, not in half precision, keeps all 8 bits apart.
        values = values.to(torch.float32).permute(2, 0, 1)[None] / self._white
        return values.to(self._like.dtype)


def to_device(part: NDArray[np.generic], device: torch.device) -> Tensor:
    """Return an array on a device; a GPU copies it behind its work while this returns at once.

    Args:
        part: Contiguous array; it may be changed as soon as this returns.
        device: Where it is needed.
    """
    values = torch.from_numpy(part)
    if device.type != 'cuda' or values.nbytes > PINNED_BYTES:
        return values.to(device)
    # torch keeps the pinned copy from being used again before the GPU has read it.
    return values.pin_memory().to(device, non_blocking=True)


def padded_positions(side: int, multiple: int, mode: PaddingMode) -> NDArray[np.intp]:
    """Return which row stands where after `pad_to_multiple`.

    Args:
        side: Rows of the image.
        multiple: What it is padded to a multiple of.
        mode: As in `pad_to_multiple`.
    """
    missing = -side % multiple
    positions = np.arange(side + missing)
    if mode == 'reflect' and missing < side:
        return side - 1 - np.abs(side - 1 - positions)
    return np.minimum(positions, side - 1)


def white(dtype: np.dtype) -> float:
    """Return the value that stands for 1: 255, 65535, or 1 for floating-point numbers."""
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def to_pixels(values: Tensor, dtype: np.dtype) -> Tensor:
    """Return values as pixels, rounded on their device.

    Args:
        values: (C, rows, columns), float32; 0 to 1, clamped, for images.
        dtype: Type of the pixels: uint8, uint16 or float32.

    Returns:
        (rows, columns, C): uint8 or, for the others, float32 with the numbers to be stored.
    """
    if np.issubdtype(dtype, np.integer):
        values = values.clamp(0, 1).mul_(white(dtype)).round_()
    if dtype == np.uint8:
        values = values.to(torch.uint8)  # a quarter of the bytes to bring into another order
    return values.permute(1, 2, 0).contiguous()


def all_finite(values: Tensor) -> bool:
    """Return whether no value is infinite or NaN; waits for the device."""
    # No sum with such a value is finite, and summing is far quicker.
    return bool(torch.isfinite(values.sum())) or bool(torch.isfinite(values).all())


def _taken(pixels: RasterArray, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> RasterArray:
    """Take rows and columns, without a copy where they follow each other."""
    height, width = _run(rows), _run(columns)
    top, left = int(rows[0]), int(columns[0])
    block = pixels[top : top + height, left : left + width]
    if (height, width) == (len(rows), len(columns)):
        return block
    taken = np.empty((len(rows), len(columns), *pixels.shape[2:]), pixels.dtype)
    taken[:height, :width] = block
    taken[height:, :width] = pixels[rows[height:], left : left + width]
    taken[:, width:] = pixels[np.ix_(rows, columns[width:])]
    return taken


def _run(positions: NDArray[np.intp]) -> int:
    """Return how many positions follow each other from the first on."""
    ends = np.flatnonzero(np.diff(positions) != 1)
    return int(ends[0]) + 1 if len(ends) else len(positions)
