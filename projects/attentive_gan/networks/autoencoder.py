"""The contextual autoencoder: a picture without drops from a picture and where its drops are."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from .receptive_field import transposed_rows_seen
from .strips import Strips


class Pictures(NamedTuple):
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
        """Map (N, C, H, W) to (N, C', 2H, 2W), non-negative."""
        sharp = F.pad(super().forward(x), (1, 0, 1, 0), mode='reflect')
        return F.relu_(F.avg_pool2d(sharp, 2, stride=1))

    def rows_seen(self, first: int, last: int) -> tuple[int, int]:
        """Rows of the input that rows `first` to `last` of the result depend on."""
        return transposed_rows_seen(self, first - 1, last)


class ContextualAutoencoder(nn.Module):
    """Sixteen convolutions with ReLU, two skip connections and three output convolutions.

    Layers have their published names, so that papers and papers' code can be read beside this.

    Source: Qian et al., CVPR 2018, section 3.1; rui1996/DeRaindrop, `models/generator.py`.

    Args:
        in_channels: 4 for a picture and its attention map, 3 for a picture alone.
    """

    def __init__(self, in_channels: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 5, padding=2)
        self.conv2 = nn.Conv2d(64, 128, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(128, 128, 3, padding=1)
        self.conv4 = nn.Conv2d(128, 256, 3, stride=2, padding=1)
        self.conv5 = nn.Conv2d(256, 256, 3, padding=1)
        self.conv6 = nn.Conv2d(256, 256, 3, padding=1)
        self.diconv1 = nn.Conv2d(256, 256, 3, padding=2, dilation=2)
        self.diconv2 = nn.Conv2d(256, 256, 3, padding=4, dilation=4)
        self.diconv3 = nn.Conv2d(256, 256, 3, padding=8, dilation=8)
        self.diconv4 = nn.Conv2d(256, 256, 3, padding=16, dilation=16)
        self.conv7 = nn.Conv2d(256, 256, 3, padding=1)
        self.conv8 = nn.Conv2d(256, 256, 3, padding=1)
        self.outframe1 = nn.Conv2d(256, 3, 3, padding=1)
        self.deconv1 = SmoothUpsampling(256, 128)
        self.conv9 = nn.Conv2d(128, 128, 3, padding=1)
        self.outframe2 = nn.Conv2d(128, 3, 3, padding=1)
        self.deconv2 = SmoothUpsampling(128, 64)
        self.conv10 = nn.Conv2d(64, 32, 3, padding=1)
        self.output = nn.Conv2d(32, 3, 3, padding=1)

    def forward(self, x: Tensor, side_outputs: bool = False) -> Pictures:
        """Restore a picture.

        Args:
            x: Picture and attention map, (N, 4, H, W), or the picture alone, (N, 3, H, W); H and W
                are multiples of 4.
            side_outputs: Whether to draw the pictures of half and quarter size too.

        Returns:
            The restored picture (N, 3, H, W), unbounded, and those of (N, 3, H/2, W/2) and
            (N, 3, H/4, W/4), non-negative, or None.
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
            return Pictures(strips.run(self._to_full_again, y, x, halo=3), half, quarter)
        return Pictures(self._to_full(y, skip1), half, quarter)

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
        for layer in self._context_layers():
            x = F.relu_(layer(x))
        return x

    def _to_half(self, x: Tensor, skip2: Tensor) -> Tensor:
        return F.relu_(self.conv9(self.deconv1(x) + skip2))

    def _to_full(self, x: Tensor, skip1: Tensor) -> Tensor:
        return self.output(F.relu_(self.conv10(self.deconv2(x) + skip1)))

    def _to_full_again(self, x: Tensor, picture: Tensor) -> Tensor:
        # Doing conv1 again, 0.5 % of the work, costs less than keeping 64 full-size channels.
        return self._to_full(x, self._skip1(picture))
