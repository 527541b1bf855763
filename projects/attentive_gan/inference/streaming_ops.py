"""Which rows of its inputs a layer needs for rows of its result, and how to compute just these.

Rows are half-open ranges [first, last). All layers here are local: away from the border, a row of the
result depends on rows near it only. Columns follow the same rules, so the reach of a network is worked out
for both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

#: Calls the layer on parts of its inputs, with other values for its spatial arguments.
Call = Callable[..., Tensor]

#: 0 for rows, 1 for columns.
Axis = Literal[0, 1]


class Rows(NamedTuple):
    """A half-open range of rows."""

    first: int
    last: int

    def within(self, height: int) -> Rows:
        """Return the part that lies in a map of `height` rows."""
        return Rows(min(max(self.first, 0), height), min(max(self.last, 0), height))


class Reach(NamedTuple):
    """Receptive-field radius in pixels, away from the border of the image."""

    before: int
    """Pixels up, or to the left."""
    after: int
    """Pixels down, or to the right."""


class Operator(ABC):
    """A layer, computed by rows.

    Attributes:
        fresh: Whether a result has memory of its own, which a later layer may overwrite.
    """

    fresh = False

    @abstractmethod
    def needs(self, rows: Rows, axis: Axis = 0) -> Rows:
        """Return the rows of an endless input that rows of the result depend on."""

    def height(self, height: int) -> int:
        """Return the rows of the result for an input of `height` rows."""
        return height

    def reads(self, rows: Rows, height: int) -> Rows:
        """Return the rows of an input of `height` rows that rows of the result depend on."""
        return self.needs(rows).within(height)

    @abstractmethod
    def run(self, parts: Sequence[Tensor], rows: Rows, height: int) -> Tensor:
        """Compute rows of the result.

        Args:
            parts: Rows `reads(rows, height)` of every input, (N, C_k, rows, W_k).
            rows: Rows of the result to compute.
            height: Rows of the whole input.
        """

    def earliest(self, first: int, height: int) -> int:
        """Return the first row of an input of `height` rows that any row from `first` on needs."""
        return self.reads(Rows(first, first + 1), height).first


class PointwiseOp(Operator):
    """A layer whose rows depend on the same rows only: activations, sums, products, joined channels.

    Args:
        call: The layer.
        in_place: The same in the memory of its first input, where there is such a function.
        fresh: Whether a result has memory of its own.
    """

    def __init__(self, call: Call, in_place: Call | None = None, fresh: bool = True) -> None:
        self.call = call
        self.in_place = in_place
        self.fresh = fresh

    def needs(self, rows: Rows, axis: Axis = 0) -> Rows:
        """Return the same rows."""
        return rows

    def run(self, parts: Sequence[Tensor], rows: Rows, height: int) -> Tensor:
        """Apply the layer."""
        return self.call(*parts)


class WindowOp(Operator):
    """A convolution or pooling: a result row depends on a window that moves by the stride.

    Args:
        call: The layer as a function of its input and of its zero padding (rows, columns).
        kernel: Sizes of the window, rows and columns.
        stride: Steps of the window.
        padding: Zeros on each side.
        dilation: Distances of neighbours in the window.
    """

    fresh = True

    def __init__(
        self,
        call: Call,
        kernel: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int] = (1, 1),
    ) -> None:
        self.call = call
        self.stride, self.padding = tuple(stride), tuple(padding)
        self.extent = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))

    def needs(self, rows: Rows, axis: Axis = 0) -> Rows:
        """Return the union of the windows."""
        stride, padding, extent = self.stride[axis], self.padding[axis], self.extent[axis]
        return Rows(rows.first * stride - padding, (rows.last - 1) * stride - padding + extent)

    def height(self, height: int) -> int:
        """Return how many windows fit."""
        return (height + 2 * self.padding[0] - self.extent[0]) // self.stride[0] + 1

    def run(self, parts: Sequence[Tensor], rows: Rows, height: int) -> Tensor:
        """Apply the layer; zeros stand where the window leaves the map."""
        wanted, given = self.needs(rows), self.reads(rows, height)
        above, below = given.first - wanted.first, wanted.last - given.last
        if above == below == self.padding[0]:
            return self.call(parts[0], list(self.padding))
        part = F.pad(parts[0], (0, 0, above, below)) if above or below else parts[0]
        return self.call(part, [0, self.padding[1]])


class TransposedWindowOp(Operator):
    """A transposed convolution: an input row is spread over a window of the result.

    Args:
        call: The layer as a function of its input and of its padding (rows, columns).
        kernel: Sizes of the window, rows and columns.
        stride: Steps of the window.
        padding: Rows and columns that are cut off on each side.
    """

    fresh = True

    def __init__(
        self, call: Call, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
    ) -> None:
        self.call = call
        self.kernel, self.stride = tuple(kernel), tuple(stride)
        self.padding = tuple(padding)

    def needs(self, rows: Rows, axis: Axis = 0) -> Rows:
        """Return the rows whose windows reach into `rows`."""
        kernel, stride, padding = self.kernel[axis], self.stride[axis], self.padding[axis]
        first = -((kernel - 1 - padding - rows.first) // stride)
        return Rows(first, (rows.last - 1 + padding) // stride + 1)

    def height(self, height: int) -> int:
        """Return the rows that the windows cover, but for those cut off."""
        return (height - 1) * self.stride[0] + self.kernel[0] - 2 * self.padding[0]

    def run(self, parts: Sequence[Tensor], rows: Rows, height: int) -> Tensor:
        """Apply the layer without cutting rows off, and take the wanted ones."""
        spread = self.call(parts[0], [0, self.padding[1]])
        given = self.reads(rows, height)
        start = rows.first - (given.first * self.stride[0] - self.padding[0])
        return spread[:, :, start : start + rows.last - rows.first]


class PadOp(Operator):
    """Adds rows and columns around a map: mirrored ones, repeated ones or a constant.

    Args:
        mode: As in `torch.nn.functional.pad`.
        widths: Left, right, above and below, not negative.
        value: The constant.
    """

    def __init__(
        self,
        mode: Literal['reflect', 'replicate', 'constant'],
        widths: Sequence[int],
        value: float = 0,
    ) -> None:
        self.mode, self.value = mode, value
        self.left, self.right, self.above, self.below = widths

    def needs(self, rows: Rows, axis: Axis = 0) -> Rows:
        """Return the rows that are shown away from the border."""
        before = self.above if axis == 0 else self.left
        return Rows(rows.first - before, rows.last - before)

    def reads(self, rows: Rows, height: int) -> Rows:
        """Return the rows that are shown, those mirrored or repeated at the border included."""
        shown = self.needs(rows)
        if self.mode == 'constant':
            return shown.within(height)
        sources = [self._source(row, height) for row in (shown.first, shown.last - 1)]
        # Between the ends may lie a border of the map, where the order of rows turns.
        sources += [row for row in (0, height - 1) if shown.first <= row < shown.last]
        return Rows(min(sources), max(sources) + 1)

    def height(self, height: int) -> int:
        """Return the rows with the border."""
        return height + self.above + self.below

    def run(self, parts: Sequence[Tensor], rows: Rows, height: int) -> Tensor:
        """Gather the rows and add the columns."""
        shown, part = self.needs(rows), parts[0]
        if self.mode == 'constant':
            given = shown.within(height)
            above, below = given.first - shown.first, shown.last - given.last
            return F.pad(part, (self.left, self.right, above, below), value=self.value)
        if shown.first < 0 or shown.last > height:
            start = self.reads(rows, height).first
            sources = [self._source(row, height) - start for row in range(*shown)]
            part = part[:, :, torch.tensor(sources, device=part.device)]
        return F.pad(part, (self.left, self.right, 0, 0), mode=self.mode)

    def earliest(self, first: int, height: int) -> int:
        """Return the first row that any later row shows; mirrored rows lie further up."""
        earliest = super().earliest(first, height)
        if self.mode == 'reflect':
            earliest = min(earliest, self._source(height - 1 + self.below, height))
        return earliest

    def _source(self, row: int, height: int) -> int:
        """Return the row that stands at `row`, which may lie beyond the border."""
        last = height - 1
        if self.mode == 'reflect':
            row = last - abs(last - abs(row))
        return min(max(row, 0), last)


class UpsampleOp(Operator):
    """Every row becomes `factor` rows: pixel shuffling and nearest-neighbour enlargement.

    Args:
        call: The layer.
        factor: How many.
    """

    def __init__(self, call: Call, factor: int) -> None:
        self.call = call
        self.factor = factor

    def needs(self, rows: Rows, axis: Axis = 0) -> Rows:
        """Return the rows that `rows` come from."""
        return Rows(rows.first // self.factor, -(-rows.last // self.factor))

    def height(self, height: int) -> int:
        """Return the enlarged height."""
        return height * self.factor

    def run(self, parts: Sequence[Tensor], rows: Rows, height: int) -> Tensor:
        """Apply the layer and take the wanted rows."""
        start = rows.first - self.needs(rows).first * self.factor
        return self.call(parts[0])[:, :, start : start + rows.last - rows.first]


class PixelUnshuffleOp(Operator):
    """`factor` rows become one: the opposite of pixel shuffling.

    Args:
        call: The layer.
        factor: How many.
    """

    def __init__(self, call: Call, factor: int) -> None:
        self.call = call
        self.factor = factor

    def needs(self, rows: Rows, axis: Axis = 0) -> Rows:
        """Return the rows that are gathered."""
        return Rows(rows.first * self.factor, rows.last * self.factor)

    def height(self, height: int) -> int:
        """Return the number of groups."""
        return height // self.factor

    def run(self, parts: Sequence[Tensor], rows: Rows, height: int) -> Tensor:
        """Apply the layer."""
        return self.call(parts[0])
