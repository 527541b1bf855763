"""Padding of images to sides that a network can halve without remainder."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

#: How what is missing is filled: mirrored without the border itself, or the border repeated.
PaddingMode = Literal['reflect', 'replicate']


def pad_to_multiple(x: Tensor, multiple: int, mode: PaddingMode = 'reflect') -> Tensor:
    """Pad at the bottom and right until both sides are multiples.

    A network that declares `size_multiple` and `padding_mode`, and pads by this function, can be run in
    parts by `attentive_gan.inference`.

    Args:
        x: Images, (N, C, H, W).
        multiple: What H and W shall be multiples of.
        mode: Reflection falls back to repetition along a side that is too short to reflect.

    Returns:
        `x` itself where nothing is missing; else padded.
    """
    if is_exporting():
        # Without questions about the size, so that the exported file takes any.
        for axis in (2, 3):
            x = x.index_select(axis, _positions(x.shape[axis], multiple, mode, x.device))
        return x
    for axis in (2, 3):
        side = x.shape[axis]
        missing = -side % multiple
        if missing:
            fits = mode if missing < side else 'replicate'
            padding = (0, missing, 0, 0) if axis == 3 else (0, 0, 0, missing)
            x = F.pad(x, padding, mode=fits)
    return x


def is_exporting() -> bool:
    """Whether `torch.export` is recording this code for images of any size."""
    # Before torch 2.7 nobody can tell exporting from compiling.
    asked = getattr(getattr(torch, 'compiler', None), 'is_exporting', None)
    return bool(asked and asked())


def _positions(side: int, multiple: int, mode: PaddingMode, device: torch.device) -> Tensor:
    """Return which row stands where after padding, as operations that hold for any side."""
    padded = (side + multiple - 1) // multiple * multiple
    position = torch.arange(padded, device=device)
    last = side - 1
    repeated = position.clamp(max=last)
    if mode == 'replicate':
        return repeated
    mirrored = last - (last - position).abs()
    missing, whole = (torch.scalar_tensor(n, dtype=torch.int64) for n in (padded - side, side))
    return torch.where(missing.to(device) < whole.to(device), mirrored, repeated)
