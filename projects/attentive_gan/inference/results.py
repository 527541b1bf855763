"""Brings rows of results from the network's device into arrays.

On a GPU nothing waits for it: pixels are rounded and checked there, copied into pinned memory behind the
network's own work, and stored when they are there, while the network already works on what comes next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.utils.types import RasterArray

from .pixel_conversion import PINNED_BYTES, all_finite, to_pixels

#: Parts that may be on their way from a GPU, for each result of an image.
MOST_ARRIVING = 2


class NotFiniteError(UserError):
    """A result has values that are infinite or NaN."""


@dataclass
class _Part:
    """Rows of one result."""

    target: RasterArray
    row: int
    column: int
    reverse: bool

    def place(self) -> RasterArray:
        """Return the part of the target from the first pixel on."""
        return self.target[self.row :, self.column :]

    def store(self, pixels: Tensor) -> None:
        """Store pixels (rows, columns, C) that are in main memory."""
        stored = pixels.numpy()
        height, width = stored.shape[:2]
        place = self.target[self.row : self.row + height, self.column : self.column + width]
        place[...] = stored[..., ::-1] if self.reverse else stored

    def check(self, finite: bool, rows: int) -> None:
        """Refuse values that are no pixels."""
        if not finite:
            raise NotFiniteError(
                f'the network gives values that are not finite in rows {self.row} to '
                f'{self.row + rows}; its weights are damaged, or --precision is too low for it'
            )


class _Arrival:
    """A part on its way from a GPU.

    Args:
        part: What is on its way.
        pixels: (rows, columns, C) on the device.
        finite: Whether all of its values are, a boolean on the device.
    """

    def __init__(self, part: _Part, pixels: Tensor, finite: Tensor) -> None:
        self.part = part
        self.pixels, self.finite = pinned_like(pixels), pinned_like(finite)
        self.pixels.copy_(pixels, non_blocking=True)
        self.finite.copy_(finite, non_blocking=True)
        self.copied = recorded_event(pixels.device)

    def settle(self) -> None:
        """Wait for the part and store it."""
        self.copied.synchronize()
        self.part.check(bool(self.finite), len(self.pixels))
        self.part.store(self.pixels)


class Results:
    """Arrays that are filled part by part.

    Args:
        outputs: Images (H, W, 3), uint8 or uint16, of values 0 to 1, clamped; or maps (H, W, 1), float32.
        reverse: For each, whether to exchange red and blue.
        deferred: Whether parts may arrive later, as from a GPU.
    """

    def __init__(
        self, outputs: Sequence[RasterArray], reverse: Sequence[bool], deferred: bool = False
    ) -> None:
        self._outputs, self._reverse, self._deferred = outputs, reverse, deferred
        self._arriving: deque[_Arrival] = deque()

    def store(self, row: int, column: int, values: Sequence[Tensor]) -> None:
        """Round rows of every result and store them; what lies beyond the image is left out.

        Args:
            row: First row of the values in the image.
            column: First column likewise.
            values: (1, C, rows, columns) for each result, any floating-point type, any device.

        Raises:
            NotFiniteError: A value is not finite, here or in a part that was stored before.
        """
        for target, reverse, result in zip(self._outputs, self._reverse, values, strict=True):
            self._store_one(_Part(target, row, column, reverse), result)

    def discard(self) -> None:
        """Forget parts that are not stored yet; the work begins anew."""
        self._arriving.clear()

    def finish(self) -> None:
        """Wait for all parts.

        Raises:
            NotFiniteError: A value is not finite.
        """
        while self._arriving:
            self._arriving.popleft().settle()

    def _store_one(self, part: _Part, values: Tensor) -> None:
        height, width = part.place().shape[:2]
        values = values[0, :, :height, :width].float()
        pixels = to_pixels(values, part.target.dtype)
        if self._deferred and pixels.nbytes <= PINNED_BYTES:
            self._arriving.append(_Arrival(part, pixels, torch.isfinite(values).all()))
            while len(self._arriving) > MOST_ARRIVING * len(self._outputs):
                self._arriving.popleft().settle()
        else:
            part.check(all_finite(values), values.shape[1])
            part.store(pixels.cpu())


def pinned_like(values: Tensor) -> Tensor:
    """Return pinned main memory of the size and type of a tensor."""
    return torch.empty(values.shape, dtype=values.dtype, pin_memory=True)


def recorded_event(device: torch.device) -> torch.cuda.Event:
    """Return an event that happens when the device has done what it was given so far."""
    event = torch.cuda.Event(blocking=True)  # who waits leaves the core to those who read files
    event.record(torch.cuda.current_stream(device))
    return event
