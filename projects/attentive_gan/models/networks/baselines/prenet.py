"""PReNet, the progressive recurrent network for rain streaks: close kin of the attention network.

Source: Ren et al., "Progressive Image Deraining Networks: A Better and Simpler Baseline", CVPR 2019;
csdwren/PReNet, `networks.py`.
"""

from __future__ import annotations

from typing import Literal

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from attentive_gan.errors import UserError
from attentive_gan.models.networks.conv_lstm import ConvLSTM
from attentive_gan.models.networks.padding import PaddingMode
from attentive_gan.models.networks.residual_block import ResidualBlock


class ConvGRU(nn.Module):
    """Convolutional gated recurrent unit of 3x3 convolutions.

    Source: layers conv_z, conv_b and conv_g of csdwren/PReNet, `networks.py`.

    Args:
        channels: Channels C of the input and the state.
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1)
        self.candidate = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return the new state, (N, C, H, W).

        Args:
            x: Features, (N, C, H, W).
            hidden: State of the step before, (N, C, H, W); None stands for zeros.
        """
        hidden = torch.zeros_like(x) if hidden is None else hidden
        update, reset = torch.sigmoid(self.gates(torch.cat((x, hidden), 1))).chunk(2, 1)
        candidate = torch.tanh(self.candidate(torch.cat((reset * hidden, x), 1)))
        return torch.lerp(hidden, candidate, update)


@MODELS.register_module()
class PReNet(nn.Module):
    """Removes rain in stages that share their weights.

    A stage sees the rainy image and the result of the stage before, keeps what it found in a recurrent
    state, refines it by five residual blocks, and draws what to add to the rainy image. LSTM and
    residual blocks are those of the attention network; here the blocks come behind the LSTM, so that the
    first one's input has negative values and the ReLU behind its sum matters.

    With one residual block used five times over it is the paper's PReNet_r. The authors' GRU network
    (an ablation) draws the restored image itself; here both add to the rainy one. Works in the colour
    order of its weights; the published ones work in RGB.

    Args:
        num_stages: Number of stages; may be changed at any time, because they share their weights.
        cell: The recurrent cell, `lstm` or `gru`.
        channels: Channels of all features.
        shared_blocks: Whether one residual block takes the place of all five.

    Raises:
        UserError: `num_stages` or `channels` is below 1, or the cell is unknown.
    """

    #: Images of any size are taken as they are.
    size_multiple = 1
    padding_mode: PaddingMode = 'replicate'
    #: Residual blocks of a stage.
    NUM_BLOCKS = 5

    def __init__(
        self,
        num_stages: int = 6,
        cell: Literal['lstm', 'gru'] = 'lstm',
        channels: int = 32,
        shared_blocks: bool = False,
    ) -> None:
        super().__init__()
        if num_stages < 1 or channels < 1 or cell not in ('lstm', 'gru'):
            raise UserError(
                'PReNet needs num_stages and channels of 1 or more and a cell lstm or gru; '
                f'got {num_stages}, {channels}, {cell!r}.'
            )
        self.num_stages = num_stages
        self.head = nn.Conv2d(6, channels, 3, padding=1)
        self.cell = ConvLSTM(channels) if cell == 'lstm' else ConvGRU(channels)
        count = 1 if shared_blocks else self.NUM_BLOCKS
        self.blocks = nn.ModuleList([ResidualBlock(channels) for _ in range(count)])
        self.tail = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, rainy: Tensor) -> Tensor:
        """Restore images of any size.

        Args:
            rainy: (N, 3, H, W), values 0 to 1.

        Returns:
            The last stage's restored images (N, 3, H, W), not clipped.
        """
        restored = rainy
        state: tuple[Tensor, ...] = ()
        for _ in range(self.num_stages):
            features = F.relu(self.head(torch.cat((rainy, restored), 1)))
            state = self._step(features, state)
            features = state[0]
            for number in range(self.NUM_BLOCKS):
                block = self.blocks[number % len(self.blocks)]
                features = F.relu(block(features)) if number == 0 else block(features)
            restored = rainy + self.tail(features)
        return restored

    def _step(self, features: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the new state, hidden one first."""
        new = self.cell(features, *state)
        return new if isinstance(new, tuple) else (new,)
