"""Pinned main memory, to and from which a GPU copies while the program goes on."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Largest part that is copied through pinned memory, in bytes; torch keeps such memory for good.
PINNED_BYTES = 32 * 2**20


def pinned_like(values: Tensor) -> Tensor:
    """Return pinned main memory of the size and type of a tensor."""
    return torch.empty(values.shape, dtype=values.dtype, pin_memory=True)


def recorded_event(device: torch.device) -> torch.cuda.Event:
    """Return an event that happens when the device has done what it was given so far."""
    event = torch.cuda.Event(blocking=True)  # who waits leaves the core to those who read files
    event.record(torch.cuda.current_stream(device))
    return event


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
