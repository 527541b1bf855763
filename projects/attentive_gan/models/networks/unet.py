"""A small U-Net: a plain baseline, and the network of the weights that are trained on a CPU.

The encoder-decoder with skip connections is that of Ronneberger, Fischer & Brox (U-Net, MICCAI 2015); the
blocks are residual without normalisation, as restoration networks have them since Lim et al. (EDSR, CVPR
Workshops 2017); the image enters and leaves through pixel (un)shuffling (Shi et al., CVPR 2016), which
saves the work at full size. It predicts what to add to the rainy image.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn

from attentive_gan.errors import UserError

from .padding import PaddingMode, pad_to_multiple


class ResidualConvBlock(nn.Module):
    """Two convolutions of 3x3 whose result is added to the input.

    Args:
        channels: Number of channels, C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        # Blocks begin as the identity: the sum of many random blocks would be far too strong.
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, H, W) to features of the same shape."""
        change: Tensor = self.second(F.leaky_relu(self.first(features), 0.1))
        return features + change


@MODELS.register_module()
class RestorationUNet(nn.Module):
    """Small residual U-Net that restores an image of any size.

    Args:
        channels: Number of channels at each level, from fine to coarse; each level has half the size of
            the one before.
        blocks: Number of residual blocks at each level of the encoder, and of the decoder.
        shuffle: The first level has the size of the image divided by this; so many pixels in a square
            become channels.
        in_channels: Channels of the image at the entry, before pixels become channels.
        out_channels: Channels of the change at the exit, likewise.

    Raises:
        UserError: There is no level or no block, or `shuffle` is below 1.
    """

    padding_mode: PaddingMode = 'replicate'

    def __init__(
        self,
        channels: Sequence[int] = (64, 96, 128, 160),
        blocks: int = 2,
        shuffle: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
    ) -> None:
        super().__init__()
        if not channels or min(channels) < 1 or blocks < 1 or shuffle < 1:
            raise UserError(
                f'RestorationUNet needs channels, blocks and shuffle of 1 or more; '
                f'got {channels}, {blocks}, {shuffle}.'
            )
        self.shuffle = shuffle
        self.size_multiple = shuffle * 2 ** (len(channels) - 1)
        self.head = nn.Conv2d(in_channels * shuffle**2, channels[0], 3, padding=1)
        self.encoder = nn.ModuleList([_blocks(width, blocks) for width in channels])
        self.down = nn.ModuleList(
            [nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in _steps(channels)]
        )
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in _steps(channels)]
        )
        self.decoder = nn.ModuleList([_blocks(width, blocks) for width in channels[:-1]])
        self.tail = nn.Conv2d(channels[0], out_channels * shuffle**2, 3, padding=1)
        # An untrained network leaves the image as it is.
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, rainy: Tensor) -> Tensor:
        """Restore images.

        Args:
            rainy: (N, 3, H, W), values 0 to 1, of any size.

        Returns:
            Restored images of the same shape, not clipped.
        """
        height, width = rainy.shape[2:]
        padded = pad_to_multiple(rainy, self.size_multiple, self.padding_mode)
        change = F.pixel_shuffle(self.change(F.pixel_unshuffle(padded, self.shuffle)), self.shuffle)
        return rainy + change[..., :height, :width]

    def change(self, x: Tensor) -> Tensor:
        """Compute what to add to an image, on the grid of the first level.

        Args:
            x: Image whose pixels became channels, (N, in_channels shuffle^2, H, W); H and W are multiples
                of 2^(levels - 1).

        Returns:
            (N, out_channels shuffle^2, H, W).
        """
        features = self.head(x)
        skipped = []
        for level, blocks in enumerate(self.encoder):
            features = blocks(features)
            if level < len(self.down):
                skipped.append(features)
                features = self.down[level](features)
        for level in reversed(range(len(self.up))):
            features = self.decoder[level](self.up[level](features) + skipped[level])
        output: Tensor = self.tail(features)
        return output


def _steps(channels: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of neighbouring levels, (finer, coarser)."""
    return list(pairwise(channels))


def _blocks(width: int, count: int) -> nn.Sequential:
    """Return residual blocks in a row."""
    return nn.Sequential(*(ResidualConvBlock(width) for _ in range(count)))
