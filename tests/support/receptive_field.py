"""How far around a pixel a network looks, worked out from its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn


class Reach(NamedTuple):
    """How far a pixel of the result depends on pixels of the input; rows and columns alike.

    Attributes:
        before: Pixels up and to the left.
        after: Pixels down and to the right.
    """

    before: int
    after: int


def reach_of(layers: Sequence[nn.Module], size_multiple: int) -> Reach:
    """Follow rows of the result back through a chain of layers, exactly.

    A skip connection that sees no more than the layers it skips needs no mention.

    Args:
        layers: Square convolutions, or modules with a method `rows_seen` like that of
            `SmoothUpsampling`, first to last; as a whole they keep the size.
        size_multiple: Product of the strides: rows that far apart see alike.

    Returns:
        The farthest that any row sees, away from the borders of the image.
    """
    reach = Reach(0, 0)
    for row in range(size_multiple):
        first = last = row
        for layer in reversed(layers):
            first, last = _rows_seen(layer, first, last)
        reach = Reach(max(reach.before, row - first), max(reach.after, last - row))
    return reach


def transposed_rows_seen(layer: nn.ConvTranspose2d, first: int, last: int) -> tuple[int, int]:
    """Rows of the input that rows `first` to `last` of a transposed convolution depend on."""
    padding, stride, kernel = int(layer.padding[0]), layer.stride[0], layer.kernel_size[0]
    return -((kernel - 1 - padding - first) // stride), (last + padding) // stride


def _rows_seen(layer: nn.Module, first: int, last: int) -> tuple[int, int]:
    seen = getattr(layer, 'rows_seen', None)
    if callable(seen):
        return seen(first, last)
    if isinstance(layer, nn.Conv2d):
        padding, stride = int(layer.padding[0]), layer.stride[0]
        extent = layer.dilation[0] * (layer.kernel_size[0] - 1)
        return first * stride - padding, last * stride - padding + extent
    if isinstance(layer, nn.ConvTranspose2d):
        return transposed_rows_seen(layer, first, last)
    raise TypeError(f'{type(layer).__name__} is no layer whose reach is known')
