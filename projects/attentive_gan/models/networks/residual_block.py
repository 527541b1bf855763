"""The residual block of the attentive-recurrent network."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, each with a ReLU, and the input added to their result.

    Both addends are non-negative where the input is, so the published ReLU after the sum is omitted as
    redundant.

    Source: layers det_conv1 to det_conv5 of rui1996/DeRaindrop, `models/generator.py`.

    Args:
        channels: Channels C of input and output.
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map non-negative features (N, C, H, W) to non-negative features of the same shape."""
        return F.relu_(self.second(F.relu_(self.first(x)))) + x
