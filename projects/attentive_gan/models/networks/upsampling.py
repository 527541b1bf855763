"""The upsampling layer of the contextual autoencoder, with a deterministic gradient on CUDA."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .padding import is_exporting


class SmoothUpsampling(nn.ConvTranspose2d):
    """Transposed convolution to twice the size, a 2x2 mean against checkerboards, and a ReLU.

    The mean window extends up and left, which shifts features by half a pixel; trained weights rely on
    it. The published network mirrors the first row and column before the mean. The mean over a mirrored
    border equals the first mean, so repeating the first row and column afterwards gives the same.

    Source: layers deconv1 and deconv2 of rui1996/DeRaindrop, `models/generator.py`.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.

    Example:
        >>> SmoothUpsampling(8, 4)(torch.rand(1, 8, 5, 6)).shape
        torch.Size([1, 4, 10, 12])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Map (N, C, H, W) to non-negative (N, C', 2H, 2W), in the memory layout of the input."""
        return F.relu_(repeat_first(F.avg_pool2d(super().forward(x), 2, stride=1)))


def repeat_first(x: Tensor) -> Tensor:
    """Repeat the first row and column: (N, C, H, W) to (N, C, H + 1, W + 1), channels-last.

    Equals `F.pad(x, (1, 0, 1, 0), mode='replicate')`, whose result on CUDA is NCHW and whose gradient
    there is not deterministic.

    Example:
        >>> repeat_first(torch.tensor([[[[1.0, 2.0]]]])).tolist()
        [[[[1.0, 1.0, 2.0], [1.0, 1.0, 2.0]]]]
    """
    if torch.is_grad_enabled() and not is_exporting():
        return _RepeatFirst.apply(x)  # type: ignore[no-any-return]
    # A single operator, which exporters and the inference engine support.
    x = F.pad(x, (1, 0, 1, 0), mode='replicate')
    return x.contiguous(memory_format=torch.channels_last) if x.is_cuda else x


class _RepeatFirst(torch.autograd.Function):
    """`repeat_first` for training.

    Slicing and concatenating would be deterministic too, but their gradients are NCHW maps full of zeros.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        shape = (batch, channels, height + 1, width + 1)
        y = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        y[:, :, 1:, 1:] = x
        y[:, :, :1, 1:] = x[:, :, :1]
        y[..., :1] = y[..., 1:2]
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        below = gradient[:, :, 1:].clone(memory_format=torch.channels_last)
        below[:, :, :1] += gradient[:, :, :1]
        right = below[..., 1:].clone(memory_format=torch.channels_last)
        right[..., :1] += below[..., :1]
        return right
