"""Structural similarity as a loss, which derain methods expect and MMagic lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn

#: Side of the Gaussian window and its standard deviation in pixels (Wang et al. 2004).
WINDOW, SIGMA = 11, 1.5
#: Stabilising constants relative to the data range (Wang et al. 2004).
K1, K2 = 0.01, 0.03
#: Side of the uniform window, scikit-image's default.
UNIFORM = 7

#: Rows give Y, U and V of R, G, B, without offsets (ITU-R BT.601).
YUV = ((0.299, 0.587, 0.114), (-0.147, -0.289, 0.436), (0.615, -0.515, -0.1))

Window = Literal['gaussian', 'uniform']


def ssim(
    first: Tensor, second: Tensor, data_range: float = 1.0, window: Window = 'gaussian'
) -> Tensor:
    """Return the mean structural similarity over windows that lie inside the images.

    Args:
        first: Images (N, C, H, W), sides at least those of the window.
        second: Images of the same shape.
        data_range: Difference between the largest and smallest possible value.
        window: `gaussian`, 11 x 11 with sigma 1.5, or `uniform`, 7 x 7, which is several times as fast.

    Returns:
        A number of float32, at most 1; computed in float32 under autocast, too.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE TIP 2004: 11 x 11 Gaussian window of sigma 1.5, population covariance. The uniform window is
    the default of scikit-image, which takes the sample covariance there; here it is that of the
    population, too.
    """
    with torch.autocast(first.device.type, enabled=False):
        x, y = first.float(), second.float()
        blur = _gaussian(x) if window == 'gaussian' else _uniform
        return _ssim(x, y, data_range, blur)


def _uniform(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, UNIFORM, stride=1)


def _gaussian(like: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the blur for images of as many channels as `like`."""
    channels = like.shape[1]
    line = torch.arange(WINDOW, dtype=like.dtype, device=like.device) - WINDOW // 2
    line = torch.exp(-line.square() / (2 * SIGMA**2))
    line = (line / line.sum()).expand(channels, 1, 1, WINDOW)

    def blur(image: Tensor) -> Tensor:
        across = F.conv2d(image, line, groups=channels)
        return F.conv2d(across, line.transpose(2, 3), groups=channels)

    return blur


def _ssim(x: Tensor, y: Tensor, data_range: float, blur: Callable[[Tensor], Tensor]) -> Tensor:
    """Compute `ssim` in the precision of its arguments."""
    mean_x, mean_y = blur(x), blur(y)
    var_x = blur(x * x) - mean_x.square()
    var_y = blur(y * y) - mean_y.square()
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return (luminance * structure).mean()


@MODELS.register_module()
class SSIMLoss(nn.Module):
    """One minus the structural similarity.

    Args:
        loss_weight: Weight of the loss.
        data_range: Difference between the largest and smallest possible value of the images.
        window: `gaussian` or `uniform`; see `ssim`.
        chroma_weight: Compare luma and chroma instead of R, G and B: the loss is 1 - SSIM of Y plus
            this times 1 - SSIM of U and V, for RGB images. None compares the channels as they are.
            A2Net (Lin et al., ACM MM 2020) is trained by it with 0.6.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        data_range: float = 1.0,
        window: Window = 'gaussian',
        chroma_weight: float | None = None,
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.data_range = data_range
        self.window: Window = window
        self.chroma_weight = chroma_weight
        self.matrix: Tensor
        self.offset: Tensor
        self.register_buffer('matrix', torch.tensor(YUV), persistent=False)
        offset = torch.tensor([0.0, 0.5, 0.5])[:, None, None]
        self.register_buffer('offset', offset, persistent=False)

    def forward(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compute the loss in float32.

        Args:
            restored: Restored images (N, C, H, W).
            clean: Clean images (N, C, H, W).

        Raises:
            ValueError: The shapes differ, or a side is shorter than the window of 11 or 7 pixels.
        """
        least = WINDOW if self.window == 'gaussian' else UNIFORM
        if restored.shape != clean.shape or min(clean.shape[2:]) < least:
            raise ValueError(
                f'SSIMLoss needs equal shapes with sides of at least {least}, not '
                f'{tuple(restored.shape)} and {tuple(clean.shape)}'
            )
        if self.chroma_weight is None:
            loss = 1 - ssim(restored, clean, self.data_range, self.window)
            return self.loss_weight * loss
        y, x = self._to_yuv(restored), self._to_yuv(clean)
        luma = 1 - ssim(y[:, :1], x[:, :1], self.data_range, self.window)
        chroma = 1 - ssim(y[:, 1:], x[:, 1:], self.data_range, self.window)
        return self.loss_weight * (luma + self.chroma_weight * chroma)

    def _to_yuv(self, image: Tensor) -> Tensor:
        """Return Y, U + 0.5 and V + 0.5 of RGB images; SSIM needs values that are not negative."""
        with torch.autocast(image.device.type, enabled=False):
            yuv = torch.einsum('kc,nchw->nkhw', self.matrix, image.float())
        return yuv + self.data_range * self.offset
