"""The attentive-recurrent network: finds raindrops, refined step by step."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .conv_lstm import ConvLSTM, at_least_float32
from .residual_block import ResidualBlock


class AttentionNetwork(nn.Module):
    """Predicts the attention map of a rainy image in steps that share their weights.

    A step takes the image and the attention map so far: a convolution, five residual blocks, a
    convolutional LSTM and a convolution to the next map. The published maps are raw outputs, not
    bounded to [0, 1].

    Source: Qian et al., CVPR 2018, section 3.1; rui1996/DeRaindrop, `models/generator.py`.

    Args:
        initial_attention: Value of the map that the first step takes.
        activation: `sigmoid` bounds the maps to (0, 1), as MaybeShewill-CV's port does; None leaves
            them as the published weights need them.
        channels: Channels of features and states; 32 as published.
        blocks: Residual blocks of a step, at least 1; 5 as published.
        cell: Factor of the pixel unshuffling before this network: an image has 3 cell^2 channels and a
            map cell^2.

    Raises:
        ValueError: `activation` is unknown, or `blocks` is less than 1.

    Example:
        >>> maps = AttentionNetwork()(torch.rand(1, 3, 8, 12), num_steps=4)
        >>> len(maps), maps[-1].shape
        (4, torch.Size([1, 1, 8, 12]))
    """

    def __init__(
        self,
        initial_attention: float = 0.5,
        activation: Literal['sigmoid'] | None = None,
        channels: int = 32,
        blocks: int = 5,
        cell: int = 1,
    ) -> None:
        super().__init__()
        if activation not in (None, 'sigmoid'):
            raise ValueError(f"attention_activation must be None or 'sigmoid', not {activation!r}")
        if blocks < 1:
            raise ValueError(f'blocks is {blocks}; a step needs at least 1 residual block')
        self.initial_attention = initial_attention
        self.activation = activation
        self.map_channels = cell**2
        self.head = nn.Conv2d(4 * cell**2, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(channels) for _ in range(blocks))
        self.lstm = ConvLSTM(channels)
        self.to_map = nn.Conv2d(channels, cell**2, 3, padding=1)

    def forward(self, rainy: Tensor, num_steps: int) -> list[Tensor]:
        """Predict one attention map per step.

        Args:
            rainy: Rainy images in the colour order of the weights, (N, 3 cell^2, H, W), in [0, 1].
            num_steps: Number of steps, at least 1.

        Returns:
            `num_steps` maps (N, cell^2, H, W), the last one being the result; unbounded without
            activation.
        """
        attention = torch.full_like(rainy[:, : self.map_channels], self.initial_attention)
        state: tuple[Tensor, ...] = ()
        maps = []
        for _ in range(num_steps):
            attention, state = self.step(rainy, attention, state)
            maps.append(attention)
        return maps

    def step(
        self, rainy: Tensor, attention: Tensor, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the next map and state; `state` is (hidden, cell), empty in the first step."""
        x = F.relu_(self.head(torch.cat((rainy, attention.to(rainy.dtype)), 1)))
        for block in self.blocks:
            x = block(x)
        hidden, cell = self.lstm(x, *state)
        attention = self.to_map(hidden)
        if self.activation is not None:
            # bfloat16 rounds sigmoids near 1 to 1, where the gradient vanishes.
            attention = torch.sigmoid(at_least_float32(attention))
        return attention, (hidden, cell)

    def compile(self, **options: Any) -> None:
        """Compile one step by `torch.compile`, instead of all steps unrolled into one graph.

        Args:
            **options: Those of `torch.compile`.
        """
        self.step = torch.compile(self.step, **options)  # type: ignore[method-assign]
