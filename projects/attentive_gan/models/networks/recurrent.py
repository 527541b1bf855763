"""Building blocks of recurrent restoration networks: a convolutional LSTM and a residual block."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, each with a ReLU, and the input added to their result.

    Both addends are non-negative where the input is, so the published ReLU after the sum is left
    out: it would change nothing.

    Source: layers det_conv1 to det_conv5 of rui1996/DeRaindrop, `models/generator.py`.

    Args:
        channels: Channels C of input and result.
    """

    #: Rows and columns, on each side, that a value of the result depends on.
    reach = 2

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map non-negative features (N, C, H, W) to non-negative features of the same shape."""
        y = F.relu_(self.second(F.relu_(self.first(x))))
        return add_(y, x)


class ConvLSTM(nn.Module):
    """Convolutional LSTM without peephole terms, its four gates fused into one 3x3 convolution.

    The gates' output channels lie in the order input, output, candidate, forget, so that a first
    step from an all-zero state needs only the first three quarters of the weights, and of these
    only the columns for the input. The cell state is float32 under mixed precision, because it sums
    over the steps.

    Source: layers conv_i, conv_f, conv_g, conv_o of rui1996/DeRaindrop, `models/generator.py`.

    Args:
        channels: Channels C of the input, the hidden state and the cell state.
    """

    #: Rows and columns, on each side, that a value of the new state depends on.
    reach = 1

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
            hidden: Hidden state of the step before, (N, C, H, W); None stands for zeros.
            cell: Cell state of the step before, (N, C, H, W); None exactly if `hidden` is.

        Returns:
            The new hidden state, of the type of the gates, and the new cell state, in
            float32 at least.
        """
        if hidden is None or cell is None:
            used = 3 * self.channels
            weight, bias = (p[:used] for p in self.gates.parameters())
            gates = F.conv2d(x, weight[:, : self.channels], bias, padding=1)
            i, o, g = gates.chunk(3, 1)
            cell = multiply_(wide(sigmoid(i)), tanh(g))
        else:
            i, o, g, f = self.gates(torch.cat((x, hidden), 1)).chunk(4, 1)
            kept = multiply_(wide(sigmoid(f)), cell)
            cell = add_(kept, multiply_(wide(sigmoid(i)), tanh(g)))
        opened = sigmoid(o)
        return multiply_(opened, tanh(cell).to(opened.dtype)).to(o.dtype), cell


def wide(x: Tensor) -> Tensor:
    """The same values in float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def sigmoid(x: Tensor) -> Tensor:
    """Logistic function of any map.

    Without autograd on a CPU it is taken and returned in float32 at least: on some channels of a
    map of 16 bits PyTorch's own takes several times as long.
    """
    if torch.is_grad_enabled() or x.device.type != 'cpu':
        return torch.sigmoid(x)
    return torch.sigmoid(wide(x))


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent of any map.

    Without autograd on a CPU it is taken by way of the sigmoid, which is several times as fast
    there and agrees to 2e-7 in float32; the result is float32 at least.
    """
    if torch.is_grad_enabled() or x.device.type != 'cpu' or x.dtype == torch.float64:
        return torch.tanh(x)
    x = wide(x)
    return torch.sigmoid(x + x).mul_(2).sub_(1)


def add_(x: Tensor, y: Tensor) -> Tensor:
    """Sum, in the memory of `x` where autograd is off; `x` is not to be used again."""
    return x + y if torch.is_grad_enabled() else x.add_(y)


def multiply_(x: Tensor, y: Tensor) -> Tensor:
    """Product, in the memory of `x` where autograd is off; `x` is not to be used again."""
    return x * y if torch.is_grad_enabled() else x.mul_(y)
