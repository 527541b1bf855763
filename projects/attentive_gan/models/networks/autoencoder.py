"""The contextual autoencoder: an image without drops from an image and where its drops are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .padding import is_exporting
from .receptive_field import transposed_rows_seen
from .strips import Strips


class Images(NamedTuple):
    """Outputs of the autoencoder, in the colour order of its input; without upper bound."""

    full: Tensor
    half: Tensor | None
    quarter: Tensor | None


class SmoothUpsampling(nn.ConvTranspose2d):
    """Transposed convolution to twice the size, a 2x2 mean against checkerboards, and a ReLU.

    The mean looks up and left, so the features move by half a pixel; trained weights rely on it.

    Source: layers deconv1 and deconv2 of rui1996/DeRaindrop, `models/generator.py`.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the result.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Map (N, C, H, W) to (N, C', 2H, 2W), non-negative, in the memory layout of the input.

        The published network mirrors the first row and column before the mean. The mean over a
        mirrored border is that over the first two rows, so it is the first mean repeated.
        """
        return F.relu_(repeat_first(F.avg_pool2d(super().forward(x), 2, stride=1)))

    def rows_seen(self, first: int, last: int) -> tuple[int, int]:
        """Rows of the input that rows `first` to `last` of the result depend on."""
        return transposed_rows_seen(self, first - 1, last)


def repeat_first(x: Tensor) -> Tensor:
    """Repeat the first row and column of maps: (N, C, H, W) to (N, C, H + 1, W + 1), channels-last."""
    if torch.is_grad_enabled() and not is_exporting():
        return _RepeatFirst.apply(x)
    # One operator, which exported files and streaming know.
    x = F.pad(x, (1, 0, 1, 0), mode='replicate')
    # CUDA's padding returns NCHW from any layout.
    return x.contiguous(memory_format=torch.channels_last) if x.is_cuda else x


class _RepeatFirst(torch.autograd.Function):
    """The same for training: CUDA's padding returns NCHW, and its gradient is not deterministic.

    Slices that are joined would do, but their gradients are NCHW maps full of zeros.
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


class ContextualAutoencoder(nn.Module):
    """Sixteen convolutions with ReLU, two skip connections and three output convolutions.

    Layers have their published names, so that papers and papers' code can be read beside this.

    Source: Qian et al., CVPR 2018, section 3.1; rui1996/DeRaindrop, `models/generator.py`.

    Args:
        in_channels: 4 for an image and its attention map, 3 for an image alone.
        channels: Channels at full, half and quarter size, and before the output; those published.
        out_channels: Channels of the results.
        dilations: Dilations of the four dilated convolutions at a quarter of the size.
        residual: Add the input of each pair of convolutions at a quarter of the size to its result,
            which lets small networks learn faster; the published network does not.
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

        def dilated(distance: int) -> nn.Conv2d:
            return nn.Conv2d(quarter, quarter, 3, padding=distance, dilation=distance)

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
        """Restore an image.

        Args:
            x: Image and attention map, (N, `in_channels`, H, W); H and W are multiples of 4.
            side_outputs: Whether to draw the images of half and quarter size too.

        Returns:
            The restored image (N, `out_channels`, H, W), unbounded, and those of size (H/2, W/2) and
            (H/4, W/4), non-negative, or None.
        """
        strips = Strips(x)
        skip1 = None
        if strips.enabled:
            y = strips.run(self._enter, x, halo=4)
        else:
            skip1 = self._skip1(x)
            y = F.relu_(self.conv2(skip1))
        skip2 = F.relu_(self.conv3(y))
        y = self._context(skip2)
        quarter = F.relu_(self.outframe1(y)) if side_outputs else None
        y = strips.run(self._to_half, y, skip2, halo=2)
        del skip2
        half = F.relu_(self.outframe2(y)) if side_outputs else None
        if skip1 is None:
            return Images(strips.run(self._to_full_again, y, x, halo=3), half, quarter)
        return Images(self._to_full(y, skip1), half, quarter)

    def layers(self) -> list[nn.Module]:
        """The longest chain of layers from input to result, for `receptive_field.reach_of`."""
        down = [self.conv1, self.conv2, self.conv3]
        up = [self.deconv1, self.conv9, self.deconv2, self.conv10, self.output]
        return [*down, *self._context_layers(), *up]

    def _context_layers(self) -> list[nn.Module]:
        dilated = [self.diconv1, self.diconv2, self.diconv3, self.diconv4]
        return [self.conv4, self.conv5, self.conv6, *dilated, self.conv7, self.conv8]

    def _skip1(self, x: Tensor) -> Tensor:
        return F.relu_(self.conv1(x))

    def _enter(self, x: Tensor) -> Tensor:
        return F.relu_(self.conv2(self._skip1(x)))

    def _context(self, x: Tensor) -> Tensor:
        enter, *layers = self._context_layers()
        x = F.relu_(enter(x))
        for first, second in zip(layers[::2], layers[1::2], strict=True):
            y = F.relu_(second(F.relu_(first(x))))
            x = y + x if self.residual else y
        return x

    def _to_half(self, x: Tensor, skip2: Tensor) -> Tensor:
        return F.relu_(self.conv9(self.deconv1(x) + skip2))

    def _to_full(self, x: Tensor, skip1: Tensor) -> Tensor:
        return self.output(F.relu_(self.conv10(self.deconv2(x) + skip1)))

    def _to_full_again(self, x: Tensor, image: Tensor) -> Tensor:
        # Doing conv1 again, 0.5 % of the work, costs less than keeping 64 full-size channels.
        return self._to_full(x, self._skip1(image))
