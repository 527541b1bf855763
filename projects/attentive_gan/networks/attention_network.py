"""The attentive-recurrent network: where the drops are, refined step by step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .recurrent import ConvLSTM, ResidualBlock
from .strips import Strips


class AttentionNetwork(nn.Module):
    """Recurrent network that draws the attention map of a rainy picture; one set of weights for all steps.

    A step looks at the picture and the attention map so far: a convolution, five residual blocks, a
    convolutional LSTM and a convolution to the next map. Maps are raw outputs, not bounded to [0, 1].

    Source: Qian et al., CVPR 2018, section 3.1; layers of rui1996/DeRaindrop, `models/generator.py`.

    Args:
        initial_attention: Value of the map that the first step sees.
    """

    def __init__(self, initial_attention: float = 0.5) -> None:
        super().__init__()
        self.initial_attention = initial_attention
        self.head = nn.Conv2d(4, 32, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(32) for _ in range(5))
        self.lstm = ConvLSTM(32)
        self.to_map = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, rainy: Tensor, num_steps: int) -> list[Tensor]:
        """Draw one attention map per step.

        Args:
            rainy: Rainy pictures in the colour order of the weights, (N, 3, H, W), in [0, 1].
            num_steps: Steps to take, at least 1.

        Returns:
            `num_steps` maps (N, 1, H, W), the last one being the result; unbounded.
        """
        strips = Strips(rainy)
        attention = torch.full_like(rainy[:, :1], self.initial_attention)
        state: tuple[Tensor, ...] = ()
        maps = []
        for _ in range(num_steps):
            (x,) = strips.run(self._enter, rainy, attention, halo=1 + ResidualBlock.reach)
            for block in self.blocks[1:]:
                previous, (x,) = x, strips.run(lambda x, block=block: (block(x),), x, halo=block.reach)
                strips.recycle(previous)
            previous_state, state = state, strips.run(self.lstm, x, *state, halo=ConvLSTM.reach)
            strips.recycle(x, *previous_state)
            (attention,) = strips.run(lambda h: (self.to_map(h),), state[0], halo=1)
            maps.append(attention)
        return maps

    def _enter(self, rainy: Tensor, attention: Tensor) -> tuple[Tensor]:
        x = F.relu_(self.head(torch.cat((rainy, attention), 1)))
        return (self.blocks[0](x),)
