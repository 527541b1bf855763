"""Padding of pictures to sides that a network can halve without remainder."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

#: How what is missing is filled: mirrored without the border itself, or the border repeated.
PaddingMode = Literal['reflect', 'replicate']


def pad_to_multiple(x: Tensor, multiple: int, mode: PaddingMode = 'reflect') -> Tensor:
    """Pad at the bottom and right until both sides are multiples.

    A network that declares `size_multiple` and `padding_mode`, and pads by this function, can be run in
    parts by `attentive_gan.inference`.

    Args:
        x: Pictures, (N, C, H, W).
        multiple: What H and W shall be multiples of.
        mode: Reflection falls back to repetition along a side that is too short to reflect.

    Returns:
        `x` itself where nothing is missing; else padded.
    """
    for axis in (2, 3):
        side = x.shape[axis]
        missing = -side % multiple
        if missing:
            fits = mode if missing < side else 'replicate'
            padding = (0, missing, 0, 0) if axis == 3 else (0, 0, 0, missing)
            x = F.pad(x, padding, mode=fits)
    return x
