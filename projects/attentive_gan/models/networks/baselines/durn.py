"""DuRN-S-P, the dual residual network for raindrops.

Source: Liu, Suganuma, Sun & Okatani, "Dual Residual Networks Leveraging the Potential of Paired
Operations for Image Restoration", CVPR 2019; kernel sizes and dilations as in
liu-vis/DualResidualNetworks, `pietorch/DuRN_S_P.py`.
"""

from __future__ import annotations

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from attentive_gan.errors import UserError
from attentive_gan.models.networks.upsampling import SmoothUpsampling

#: Dilation of the first operation of each block with channel attention (DuRB-S).
ATTENTION_BLOCKS = (12, 8, 6)
#: Kernel size and dilation of the first operation of each block with paired convolutions (DuRB-P).
PAIRED_BLOCKS = ((3, 2), (5, 1), (3, 3), (7, 1), (3, 4), (7, 1))


def _convolution(channels: int, kernel: int, dilation: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the size, and batch normalisation."""
    layer = nn.Conv2d(
        channels,
        channels,
        kernel,
        padding=dilation * (kernel // 2),
        dilation=dilation,
        # The authors mirror the border, but not where there are holes between the taps.
        padding_mode='reflect' if dilation == 1 else 'zeros',
    )
    return nn.Sequential(layer, nn.BatchNorm2d(channels))


class ChannelAttentionBlock(nn.Module):
    """Residual block whose change is weighted channel by channel (SE-ResNet's basic block).

    Args:
        channels: Number of channels, C.
        hidden: Width of the layer between the channels' means and their weights.
    """

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.weigh = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, C, H, W) to non-negative features of the same shape."""
        change = self.change(x)
        weights = self.weigh(change.mean((2, 3)))
        return F.relu(x + change * weights[:, :, None, None])


class DualResidualBlock(nn.Module):
    """Two convolutions, then a pair of operations with a residual connection each.

    The second of these connections adds the block's input; the first adds what the first operation of
    the block before gave, so that any first operation meets any later second one.

    Args:
        channels: Number of channels, C.
        first: First operation, (N, C, H, W) to the same shape.
        second: Second operation, likewise.
    """

    def __init__(self, channels: int, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.enter = _convolution(channels, 3)
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, padding_mode='reflect')
        self.norm = nn.BatchNorm2d(channels)
        self.first = first
        self.second = second

    def forward(self, x: Tensor, carried: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features and what the next block's first operation is added to.

        Args:
            x: Features (N, C, H, W).
            carried: Result of the first operation of the block before, (N, C, H, W).
        """
        y = F.relu(self.enter(x))
        y = F.relu(self.norm(self.convolution(y) + x))
        carried = F.relu(self.first(y) + carried)
        return F.relu(self.second(carried) + x), carried


@MODELS.register_module()
class DuRNSP(nn.Module):
    """Three dual residual blocks with channel attention, then six with paired convolutions.

    They work at a quarter of the image's size; the result is the rainy image less what the network
    draws, which a hyperbolic tangent bounds. The image's border is repeated to a multiple of 4 and at
    least 16; the authors cut their images instead.

    Args:
        channels: Channels at a quarter of the size; half as many at full size.

    Raises:
        UserError: `channels` is odd or below 2.
    """

    #: Sides are padded to a multiple of this, and to at least `size_least`: a border can be mirrored only
    #: where there is as much to mirror.
    size_multiple, size_least = 4, 16

    def __init__(self, channels: int = 128) -> None:
        super().__init__()
        if channels < 2 or channels % 2:
            raise UserError(f'DuRNSP needs an even number of channels; got {channels}.')
        half = channels // 2
        self.shrink = nn.Sequential(
            nn.Conv2d(3, half, 5, padding=1), nn.BatchNorm2d(half), nn.ReLU(),
            nn.Conv2d(half, channels, 3, stride=2, padding=1), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1), nn.BatchNorm2d(channels), nn.ReLU(),
        )  # fmt: skip
        self.attentive = nn.ModuleList(
            DualResidualBlock(
                channels,
                _convolution(channels, 3, dilation),
                nn.Sequential(ChannelAttentionBlock(channels), _convolution(channels, 3)),
            )
            for dilation in ATTENTION_BLOCKS
        )
        self.paired = nn.ModuleList(
            DualResidualBlock(
                channels, _convolution(channels, kernel, dilation), _convolution(channels, 5)
            )
            for kernel, dilation in PAIRED_BLOCKS
        )
        self.enlarge = nn.Sequential(
            SmoothUpsampling(channels, channels), _convolution(channels, 3), nn.ReLU(),
            SmoothUpsampling(channels, half),
            nn.Conv2d(half, 3, 5, padding=2, padding_mode='reflect'),
        )  # fmt: skip

    def forward(self, rainy: Tensor) -> Tensor:
        """Restore images of any size.

        Args:
            rainy: (N, 3, H, W), values 0 to 1.

        Returns:
            Restored images (N, 3, H, W), not clipped.
        """
        height, width = rainy.shape[2:]
        below, right = (self._missing(side) for side in (height, width))
        features = self.shrink(F.pad(rainy, (0, right, 0, below), mode='replicate'))
        for blocks in (self.attentive, self.paired):
            carried = features
            for block in blocks:
                features, carried = block(features, carried)
        drawn = torch.tanh(self.enlarge(features))
        return rainy - drawn[..., :height, :width]

    def _missing(self, side: int) -> int:
        """Return how many rows or columns a side lacks."""
        return max(self.size_least - side, -side % self.size_multiple)
