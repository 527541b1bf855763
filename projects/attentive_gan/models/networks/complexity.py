"""Number of multiply-accumulates of a network."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn


def count_macs(network: nn.Module, height: int, width: int, batch: int = 1) -> int:
    """Count the multiply-accumulates of convolutions and linear layers in a forward pass.

    Counted by `torch.utils.flop_counter` (two operations per multiply-accumulate) on tensors
    of the meta device, so nothing is computed. Work that the network skips is not counted.

    Args:
        network: A network that takes images (N, 3, H, W).
        height: H.
        width: W.
        batch: N.

    Example:
        >>> count_macs(nn.Conv2d(3, 8, 3, padding=1), height=10, width=20)
        43200
    """
    from torch.utils.flop_counter import FlopCounterMode

    network_on_meta = deepcopy(network).to('meta')
    image = torch.empty(batch, 3, height, width, device='meta')
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network_on_meta(image)
    return int(counter.get_total_flops()) // 2
