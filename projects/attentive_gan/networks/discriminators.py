"""The attentive discriminator of the Attentive GAN, and the plain one of its ablation."""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

#: Shortest side whose maps do not vanish in the two convolutions of stride 4.
MIN_SIDE = 11


class DiscriminatorOutput(NamedTuple):
    """What a discriminator says of pictures.

    Attributes:
        logits: How real each picture looks, (N, 1), before the sigmoid.
        attention_map: Where it looked, (N, 1, H, W), unbounded; None for the plain discriminator.
    """

    logits: Tensor
    attention_map: Tensor | None


@MODELS.register_module()
class PlainDiscriminator(nn.Module):
    """Eight 5x5 convolutions and two linear layers, for pictures with sides of at least 11 pixels.

    Sides of 219 to 234 give the published 14x14 map before the linear layers; other sizes are
    averaged to it. There is no sigmoid at the end, because the losses take logits.

    Source: rui1996/DeRaindrop, `models/discriminator.py`, without its attention branch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 5, padding=2)
        self.conv3 = nn.Conv2d(16, 64, 5, padding=2)
        self.conv4 = nn.Conv2d(64, 128, 5, padding=2)
        self.conv5 = nn.Conv2d(128, 128, 5, padding=2)
        self.conv6 = nn.Conv2d(128, 128, 5, padding=2)
        self.conv7 = nn.Conv2d(128, 64, 5, stride=4, padding=1)
        self.conv8 = nn.Conv2d(64, 32, 5, stride=4, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(14)
        self.fc1 = nn.Linear(32 * 14 * 14, 1024)
        self.fc2 = nn.Linear(1024, 1)

    def forward(self, picture: Tensor) -> DiscriminatorOutput:
        """Judge pictures.

        Args:
            picture: Clean or restored pictures, (N, 3, H, W), in [0, 1]; both sides at least 11.

        Returns:
            The logits (N, 1) and, of an attentive discriminator, its attention map (N, 1, H, W).

        Raises:
            ValueError: A side is shorter than 11 pixels.
        """
        height, width = picture.shape[2:]
        if min(height, width) < MIN_SIDE:
            raise ValueError(
                f'the discriminator needs pictures of at least {MIN_SIDE}x{MIN_SIDE} pixels, '
                f'got {width}x{height} (width x height)'
            )
        x = picture
        if x.device.type == 'cpu':
            x = x.contiguous(memory_format=torch.channels_last)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5, self.conv6):
            x = F.relu_(layer(x))
        x, attention_map = self._gate(x)
        x = F.relu_(self.conv8(F.relu_(self.conv7(x))))
        logits = self.fc2(self.fc1(self.pool(x).flatten(1)))
        return DiscriminatorOutput(logits, attention_map)

    def _gate(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        return features, None


@MODELS.register_module()
class AttentiveDiscriminator(PlainDiscriminator):
    """Discriminator that draws where it looks and weighs its features with that map.

    Equal to the published one with its obvious slip mended: conv7 is applied once, to the weighed
    features (the released code applies it twice and cannot run).

    Source: Qian et al., CVPR 2018, section 3.2; rui1996/DeRaindrop, `models/discriminator.py`; the
    order of layers from flyywh/AttGAN_DeRaindrop, `lstm.py`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.to_map = nn.Conv2d(128, 1, 5, padding=2)

    def _gate(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        attention_map = self.to_map(features)
        return features * attention_map, attention_map
