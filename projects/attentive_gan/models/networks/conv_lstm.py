"""A convolutional LSTM."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvLSTM(nn.Module):
    """Convolutional LSTM without peephole terms, its four gates fused into one 3x3 convolution.

    The gates' output channels are in the order input, output, candidate, forget: the first step, from
    an all-zero state, needs only the first three quarters of the weights, and of these only the columns
    for the input. The cell state is float32 under mixed precision, because it sums over the steps.

    Source: layers conv_i, conv_f, conv_g, conv_o of rui1996/DeRaindrop, `models/generator.py`.

    Args:
        channels: Channels C of the input, the hidden state and the cell state.

    Example:
        >>> hidden, cell = ConvLSTM(8)(torch.rand(1, 8, 4, 6))
        >>> hidden.shape, cell.shape
        (torch.Size([1, 8, 4, 6]), torch.Size([1, 8, 4, 6]))
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.channels = channels
        self.gates = nn.Conv2d(2 * channels, 4 * channels, 3, padding=1)

    def forward(
        self, x: Tensor, hidden: Tensor | None = None, cell: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Take one step.

        Args:
            x: Features, (N, C, H, W).
            hidden: Hidden state of the previous step, (N, C, H, W); None stands for zeros.
            cell: Cell state of the previous step, (N, C, H, W); None exactly if `hidden` is.

        Returns:
            The new hidden state, of the type of the gates, and the new cell state, in
            float32 at least.
        """
        if hidden is None or cell is None:
            used = 3 * self.channels
            weight, bias = (p[:used] for p in self.gates.parameters())
            i, o, g = F.conv2d(x, weight[:, : self.channels], bias, padding=1).chunk(3, 1)
            cell = at_least_float32(torch.sigmoid(i)) * torch.tanh(g)
        else:
            i, o, g, f = self.gates(torch.cat((x, hidden), 1)).chunk(4, 1)
            cell = at_least_float32(torch.sigmoid(f)) * cell
            cell = cell + at_least_float32(torch.sigmoid(i)) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(cell).to(o.dtype), cell


def at_least_float32(x: Tensor) -> Tensor:
    """Return the values in float32, or in float64 if they are."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
