"""The contextual autoencoder: restores an image from the rainy image and its attention map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from .upsampling import SmoothUpsampling


class Images(NamedTuple):
    """Outputs of the autoencoder at three sizes, in the colour order of its input.

    Attributes:
        full: (N, C, H, W), unbounded.
        half: (N, C, H/2, W/2), non-negative; None if not requested.
        quarter: (N, C, H/4, W/4), non-negative; None if not requested.
    """

    full: Tensor
    half: Tensor | None
    quarter: Tensor | None


class ContextualAutoencoder(nn.Module):
    """Sixteen convolutions with ReLU, two skip connections and three output convolutions.

    Layers have their published names.

    Source: Qian et al., CVPR 2018, section 3.1; rui1996/DeRaindrop, `models/generator.py`.

    Args:
        in_channels: 4 for an image and its attention map, 3 for an image alone.
        channels: Channels at full, half and quarter size, and before the output; default as published.
        out_channels: Channels of the outputs.
        dilations: Dilations of the four dilated convolutions at quarter size.
        residual: Add the input of each pair of convolutions at quarter size to its output, which helps
            small networks converge; the published network does not.

    Example:
        >>> import torch
        >>> ContextualAutoencoder()(torch.rand(1, 4, 8, 12)).full.shape
        torch.Size([1, 3, 8, 12])
    """

    def __init__(
        self,
        in_channels: int = 4,
        channels: Sequence[int] = (64, 128, 256, 32),
        out_channels: int = 3,
        dilations: Sequence[int] = (2, 4, 8, 16),
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.residual = residual
        full, half, quarter, last = channels

        def dilated(dilation: int) -> nn.Conv2d:
            return nn.Conv2d(quarter, quarter, 3, padding=dilation, dilation=dilation)

        self.conv1 = nn.Conv2d(in_channels, full, 5, padding=2)
        self.conv2 = nn.Conv2d(full, half, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(half, half, 3, padding=1)
        self.conv4 = nn.Conv2d(half, quarter, 3, stride=2, padding=1)
        self.conv5 = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.conv6 = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.diconv1 = dilated(dilations[0])
        self.diconv2 = dilated(dilations[1])
        self.diconv3 = dilated(dilations[2])
        self.diconv4 = dilated(dilations[3])
        self.conv7 = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.conv8 = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.outframe1 = nn.Conv2d(quarter, out_channels, 3, padding=1)
        self.deconv1 = SmoothUpsampling(quarter, half)
        self.conv9 = nn.Conv2d(half, half, 3, padding=1)
        self.outframe2 = nn.Conv2d(half, out_channels, 3, padding=1)
        self.deconv2 = SmoothUpsampling(half, full)
        self.conv10 = nn.Conv2d(full, last, 3, padding=1)
        self.output = nn.Conv2d(last, out_channels, 3, padding=1)

    def forward(self, x: Tensor, side_outputs: bool = False) -> Images:
        """Restore images.

        Args:
            x: Images and attention maps, (N, `in_channels`, H, W); H and W are multiples of 4.
            side_outputs: Whether to compute the images of half and quarter size too.
        """
        skip1 = F.relu_(self.conv1(x))
        skip2 = F.relu_(self.conv3(F.relu_(self.conv2(skip1))))
        x = self._context(F.relu_(self.conv4(skip2)))
        quarter = F.relu_(self.outframe1(x)) if side_outputs else None
        x = F.relu_(self.conv9(self.deconv1(x) + skip2))
        half = F.relu_(self.outframe2(x)) if side_outputs else None
        x = F.relu_(self.conv10(self.deconv2(x) + skip1))
        return Images(self.output(x), half, quarter)

    def _context(self, x: Tensor) -> Tensor:
        """Apply the convolutions at quarter size, in pairs, (N, C, H, W) to the same shape."""
        for first, second in (
            (self.conv5, self.conv6),
            (self.diconv1, self.diconv2),
            (self.diconv3, self.diconv4),
            (self.conv7, self.conv8),
        ):
            y = F.relu_(second(F.relu_(first(x))))
            x = y + x if self.residual else y
        return x
