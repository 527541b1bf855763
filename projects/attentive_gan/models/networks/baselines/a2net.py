"""A2Net, the adjacent aggregation network: two small decoders, for luma and for chroma.

Source: Lin et al., "A2Net: Adjacent Aggregation Networks for Image Raindrop Removal", IEEE Access 2020,
arXiv 1811.09780.
"""

from __future__ import annotations

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from attentive_gan.errors import UserError
from attentive_gan.models.networks.padding import PaddingMode, pad_to_multiple

#: Y, U and V of red, green and blue in [0, 1], as OpenCV's `COLOR_RGB2YUV` has them: U = 0.492 (B - Y)
#: and V = 0.877 (R - Y).
RGB_TO_YUV = (
    (0.299, 0.587, 0.114),
    (0.492 * -0.299, 0.492 * -0.587, 0.492 * (1 - 0.114)),
    (0.877 * (1 - 0.299), 0.877 * -0.587, 0.877 * -0.114),
)
#: What OpenCV adds to U and V of 8-bit images, 128 of 255.
YUV_OFFSET = (0.0, 128 / 255, 128 / 255)


class AggregatingDown(nn.Module):
    """Halves features twice, before and behind a convolution, and joins both results.

    Args:
        channels: Channels C of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.halve_input = nn.Conv2d(channels, channels, 4, stride=2, padding=1)
        self.halve_conv = nn.Conv2d(channels, channels, 4, stride=2, padding=1)
        self.join = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the halved features (N, C, H/2, W/2), and those for the decoders, (N, C, H, W).

        Args:
            x: Features, (N, C, H, W), H and W even.
        """
        skipped = F.relu(self.conv(x))
        halves = (F.relu(self.halve_input(x)), F.relu(self.halve_conv(skipped)))
        return F.relu(self.join(torch.cat(halves, 1))), skipped


class AggregatingUp(nn.Module):
    """Doubles features twice, before and behind a convolution, and joins both with the encoder's.

    Args:
        in_channels: Channels of the input.
        skip_channels: Channels of the encoder's features.
        channels: Channels C of the output.
    """

    def __init__(self, in_channels: int, skip_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.double_conv = nn.ConvTranspose2d(channels, channels, 2, stride=2)
        self.double_input = nn.ConvTranspose2d(in_channels, channels, 2, stride=2)
        self.join = nn.Conv2d(2 * channels + skip_channels, channels, 3, padding=1)

    def forward(self, x: Tensor, skipped: Tensor) -> Tensor:
        """Return features of the encoder's size, (N, C, 2H, 2W).

        Args:
            x: Features, (N, in_channels, H, W).
            skipped: Features of the encoder, (N, skip_channels, 2H, 2W).
        """
        behind = F.relu(self.double_conv(F.relu(self.conv(x))))
        before = F.relu(self.double_input(x))
        return F.relu(self.join(torch.cat((behind, before, skipped), 1)))


class AggregatingDecoder(nn.Module):
    """Draws what to add to some channels of the image, between -1 and 1.

    Args:
        out_channels: How many channels.
        channels: Channels of its features.
        skip_channels: Channels of the encoder's features.
        levels: How often the encoder halved the image.
    """

    def __init__(self, out_channels: int, channels: int, skip_channels: int, levels: int) -> None:
        super().__init__()
        widths = (skip_channels, *(channels,) * (levels - 1))
        self.up = nn.ModuleList([AggregatingUp(width, skip_channels, channels) for width in widths])
        self.tail = nn.Conv2d(channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor, skipped: list[Tensor]) -> Tensor:
        """Return the change (N, out_channels, H, W).

        Args:
            x: The encoder's coarsest features.
            skipped: Its other features, from fine to coarse; the first have the image's size, H x W.
        """
        for up, level in zip(self.up, reversed(skipped), strict=True):
            x = up(x, level)
        return torch.tanh(self.tail(x))


@MODELS.register_module()
class A2Net(nn.Module):
    """Removes raindrops in Y, U and V, by one encoder and a decoder each for luma and chroma.

    Images are RGB; the change of Y, U and V that the network draws is converted to RGB, so that a network
    that changes nothing returns the image exactly. The authors convert by 8-bit images instead, which
    clip V of saturated red and cyan. They initialise weights by a normal distribution of 0.02, here by
    PyTorch's default.

    Args:
        channels: Channels of the encoder and of the luma decoder.
        chroma_channels: Channels of the chroma decoder.
        levels: How often the encoder halves the image.

    Raises:
        UserError: An argument is below 1.

    Example:
        >>> A2Net()(torch.rand(1, 3, 20, 30)).shape
        torch.Size([1, 3, 20, 30])
    """

    padding_mode: PaddingMode = 'reflect'
    to_yuv: Tensor
    offset: Tensor
    to_rgb: Tensor

    def __init__(self, channels: int = 32, chroma_channels: int = 24, levels: int = 3) -> None:
        super().__init__()
        if min(channels, chroma_channels, levels) < 1:
            raise UserError(
                'A2Net needs channels, chroma_channels and levels of 1 or more; '
                f'got {channels}, {chroma_channels}, {levels}.'
            )
        self.size_multiple = 2**levels
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.down = nn.ModuleList([AggregatingDown(channels) for _ in range(levels)])
        self.luma = AggregatingDecoder(1, channels, channels, levels)
        self.chroma = AggregatingDecoder(2, chroma_channels, channels, levels)
        matrix = torch.tensor(RGB_TO_YUV, dtype=torch.float64)
        # Colours are converted by convolutions of 1x1 with these weights.
        for name, value in (('to_yuv', matrix), ('to_rgb', _inverse(matrix))):
            self.register_buffer(name, value.float()[..., None, None], persistent=False)
        self.register_buffer('offset', torch.tensor(YUV_OFFSET), persistent=False)

    def forward(self, rainy: Tensor) -> Tensor:
        """Restore images of any size.

        Args:
            rainy: (N, 3, H, W), RGB, values 0 to 1.

        Returns:
            Restored images of the same shape, not clipped.
        """
        height, width = rainy.shape[2:]
        padded = pad_to_multiple(rainy, self.size_multiple, self.padding_mode)
        change = self.change(F.conv2d(padded, self.to_yuv, self.offset))
        return rainy + F.conv2d(change, self.to_rgb)[..., :height, :width]

    def change(self, yuv: Tensor) -> Tensor:
        """Compute what to add to Y, U and V.

        Args:
            yuv: (N, 3, H, W), values 0 to 1, chroma around 128/255; H and W multiples of `size_multiple`.

        Returns:
            (N, 3, H, W), values -1 to 1.
        """
        features = F.relu(self.head(yuv))
        skipped = []
        for down in self.down:
            features, level = down(features)
            skipped.append(level)
        return torch.cat((self.luma(features, skipped), self.chroma(features, skipped)), 1)


def _inverse(matrix: Tensor) -> Tensor:
    """Return a 3x3 matrix's inverse by its rows' cross products: networks are built on `meta`, too."""
    first, second, third = matrix
    columns = [
        torch.linalg.cross(*pair) for pair in ((second, third), (third, first), (first, second))
    ]
    return torch.stack(columns, 1) / torch.dot(first, columns[0])
