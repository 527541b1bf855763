"""The attentive-recurrent network: where the drops are, refined step by step."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .recurrent import ConvLSTM, ResidualBlock, wide
from .strips import Strips


class AttentionNetwork(nn.Module):
    """Draws the attention map of a rainy image in steps that share their weights.

    A step looks at the image and the attention map so far: a convolution, five residual blocks, a
    convolutional LSTM and a convolution to the next map. The published maps are raw outputs, not
    bounded to [0, 1].

    Source: Qian et al., CVPR 2018, section 3.1; rui1996/DeRaindrop, `models/generator.py`.

    Args:
        initial_attention: Value of the map that the first step sees.
        activation: `sigmoid` bounds the maps to (0, 1), as MaybeShewill-CV's port does; None leaves
            them as the published weights need them.
        channels: Channels of features and states; 32 as published.
        blocks: Residual blocks of a step, at least 1; 5 as published.
        cell: Pixels of the image along each side that the caller gathered into one position of the
            network's grid, so that an image has 3 cell^2 channels and a map cell^2.

    Raises:
        ValueError: `activation` is unknown, or `blocks` is less than 1.
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
        """Draw one attention map per step.

        Args:
            rainy: Rainy images in the colour order of the weights, (N, 3 cell^2, H, W), in [0, 1].
            num_steps: Steps to take, at least 1.

        Returns:
            `num_steps` maps (N, cell^2, H, W), the last one being the result; unbounded without
            activation.
        """
        strips = Strips(rainy)
        attention = torch.full_like(rainy[:, : self.map_channels], self.initial_attention)
        state: tuple[Tensor, ...] = ()
        maps = []
        for _ in range(num_steps):
            attention, state = self._step(rainy, attention, state, strips)
            maps.append(attention)
        return maps

    def compile(self, **options: Any) -> None:
        """Compile one step by `torch.compile`, instead of all steps unrolled into one graph.

        Args:
            **options: Those of `torch.compile`.
        """
        self._step = torch.compile(self._step, **options)  # type: ignore[method-assign]

    def _step(
        self, rainy: Tensor, attention: Tensor, state: tuple[Tensor, ...], strips: Strips
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Take one step; returns the next map and the hidden and cell state."""
        x = self._features(rainy, attention, strips)
        # New states may overwrite the old cell state: their row r needs no other row of it.
        strips.recycle(*state[1:])
        hidden, cell = strips.run_all(self.lstm, x, *state, halo=ConvLSTM.reach)
        strips.recycle(x, *state[:1])
        attention = strips.run(self.to_map, hidden, halo=1)
        if self.activation is not None:
            # In float32: bfloat16 rounds to 1 what is far from it, and no gradient comes back from there.
            attention = torch.sigmoid(wide(attention))
        return attention, (hidden, cell)

    def layers(self) -> list[nn.Module]:
        """The longest chain of layers of one step, for `receptive_field.reach_of`."""
        blocks = [conv for block in self.blocks for conv in block.children()]
        return [self.head, *blocks, self.lstm.gates, self.to_map]

    def _features(self, rainy: Tensor, attention: Tensor, strips: Strips) -> Tensor:
        x = strips.run(self._enter, rainy, attention, halo=1 + ResidualBlock.reach)
        for block in self.blocks[1:]:
            y = strips.run(block, x, halo=ResidualBlock.reach)
            strips.recycle(x)
            x = y
        return x

    def _enter(self, rainy: Tensor, attention: Tensor) -> Tensor:
        return self.blocks[0](F.relu_(self.head(torch.cat((rainy, attention), 1))))
