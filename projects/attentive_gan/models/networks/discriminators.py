"""The attentive discriminator of the Attentive GAN, and the plain one of its ablation."""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .attentive_generator import scaled

#: Side of the map before the linear layers.
POOLED = 14

#: Shortest side whose maps do not vanish in the two convolutions of stride 4.
MIN_SIDE = 11


class DiscriminatorOutput(NamedTuple):
    """Output of a discriminator.

    Attributes:
        logits: How real each image looks, (N, 1), before the sigmoid.
        attention_map: Attention map, (N, 1, H, W), unbounded; None for the plain discriminator.
    """

    logits: Tensor
    attention_map: Tensor | None


@MODELS.register_module()
class PlainDiscriminator(nn.Module):
    """Eight 5x5 convolutions and two linear layers, for images with sides of at least 11 pixels.

    Sides of 219 to 234 give the published 14x14 map before the linear layers; other sizes are
    averaged to it. There is no sigmoid at the end, because the losses take logits.

    Source: rui1996/DeRaindrop, `models/discriminator.py`, without its attention branch.

    Args:
        width: Multiplies all numbers of channels, rounded to multiples of 4; 1 as published.

    Raises:
        ValueError: `width` is not positive.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        if width <= 0:
            raise ValueError(f'width is {width}; it must be positive')
        c8, c16, c32, c64, c128 = (scaled(channels, width) for channels in (8, 16, 32, 64, 128))
        self.conv1 = nn.Conv2d(3, c8, 5, padding=2)
        self.conv2 = nn.Conv2d(c8, c16, 5, padding=2)
        self.conv3 = nn.Conv2d(c16, c64, 5, padding=2)
        self.conv4 = nn.Conv2d(c64, c128, 5, padding=2)
        self.conv5 = nn.Conv2d(c128, c128, 5, padding=2)
        self.conv6 = nn.Conv2d(c128, c128, 5, padding=2)
        self.conv7 = nn.Conv2d(c128, c64, 5, stride=4, padding=1)
        self.conv8 = nn.Conv2d(c64, c32, 5, stride=4, padding=1)
        hidden = scaled(1024, width)
        self.fc1 = nn.Linear(c32 * POOLED**2, hidden)
        self.fc2 = nn.Linear(hidden, 1)

    def forward(self, image: Tensor) -> DiscriminatorOutput:
        """Classify images as real or generated.

        Args:
            image: Clean or restored images, (N, 3, H, W), in [0, 1]; both sides at least 11.

        Returns:
            The logits (N, 1) and, of an attentive discriminator, its attention map (N, 1, H, W).

        Raises:
            ValueError: A side is shorter than 11 pixels.
        """
        height, width = image.shape[2:]
        if min(height, width) < MIN_SIDE:
            raise ValueError(
                f'the discriminator needs images of at least {MIN_SIDE}x{MIN_SIDE} pixels, '
                f'got {width}x{height} (width x height)'
            )
        x = image
        if x.device.type == 'cpu':
            x = x.contiguous(memory_format=torch.channels_last)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5, self.conv6):
            x = F.relu_(layer(x))
        x, attention_map = self._gate(x)
        x = F.relu_(self.conv8(F.relu_(self.conv7(x))))
        logits = self.fc2(self.fc1(_pooled(x).flatten(1)))
        return DiscriminatorOutput(logits, attention_map)

    def _gate(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        return features, None


@MODELS.register_module()
class AttentiveDiscriminator(PlainDiscriminator):
    """Discriminator that predicts an attention map and weights its features by it.

    Equal to the published one with its obvious slip fixed: conv7 is applied once, to the weighed
    features (the released code applies it twice and cannot run).

    Source: Qian et al., CVPR 2018, section 3.2; rui1996/DeRaindrop, `models/discriminator.py`; the
    order of layers from flyywh/AttGAN_DeRaindrop, `lstm.py`.

    Args:
        width: Multiplies all numbers of channels, rounded to multiples of 4; 1 as published.

    Raises:
        ValueError: `width` is not positive.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__(width)
        self.to_map = nn.Conv2d(self.conv6.out_channels, 1, 5, padding=2)

    def _gate(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        attention_map = self.to_map(features)
        return features * attention_map, attention_map


def _pooled(x: Tensor) -> Tensor:
    """Average maps (N, C, H, W) to (N, C, 14, 14), by products with two matrices of means.

    Equal to `adaptive_avg_pool2d`, whose gradient on CUDA is not deterministic.
    """
    if x.shape[2:] == (POOLED, POOLED):
        return x
    rows, columns = (_means(side, x) for side in x.shape[2:])
    return rows @ x @ columns.mT


def _means(side: int, like: Tensor) -> Tensor:
    """Return the matrix (14, side) whose row k takes the mean of the k-th of 14 even parts."""
    k = torch.arange(POOLED, device=like.device)[:, None]
    first, last = k * side // POOLED, -(-(k + 1) * side // POOLED)
    position = torch.arange(side, device=like.device)
    inside = (position >= first) & (position < last)
    return inside.to(like.dtype) / (last - first)
