"""Structural similarity as a loss, which deraining methods use and MMagic lacks."""

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


def ssim(pred: Tensor, gt: Tensor, data_range: float = 1.0, window: Window = 'gaussian') -> Tensor:
    """Compute the mean structural similarity over the windows inside the images.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
    TIP 2004, equation 13: 11 x 11 Gaussian window of sigma 1.5, population covariance. The uniform window
    is scikit-image's default, but with the population covariance.

    Args:
        pred: Images (N, C, H, W), sides at least those of the window.
        gt: Images of the same shape.
        data_range: Difference between the largest and smallest possible value.
        window: `gaussian`, 11 x 11 with sigma 1.5, or `uniform`, 7 x 7, which is several times as fast.

    Returns:
        Scalar, at most 1; computed in float32, under autocast, too.

    Example:
        >>> image = torch.rand(1, 3, 16, 16)
        >>> round(float(ssim(image, image)), 4)
        1.0
    """
    with torch.autocast(pred.device.type, enabled=False):
        x, y = pred.float(), gt.float()
        mean = _uniform_mean if window == 'uniform' else _gaussian_mean(x)
        mean_x, mean_y = mean(x), mean(y)
        var_x = mean(x * x) - mean_x.square()
        var_y = mean(y * y) - mean_y.square()
        covariance = mean(x * y) - mean_x * mean_y
        c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
        luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
        structure = (2 * covariance + c2) / (var_x + var_y + c2)
        return (luminance * structure).mean()


def _uniform_mean(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, UNIFORM, stride=1)


def _gaussian_mean(like: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the weighted mean over each window, for images with the channels and type of `like`."""
    channels = like.shape[1]
    line = torch.arange(WINDOW, dtype=like.dtype, device=like.device) - WINDOW // 2
    line = torch.exp(-line.square() / (2 * SIGMA**2))
    line = (line / line.sum()).expand(channels, 1, 1, WINDOW)

    def mean(image: Tensor) -> Tensor:
        across = F.conv2d(image, line, groups=channels)
        return F.conv2d(across, line.transpose(2, 3), groups=channels)

    return mean


@MODELS.register_module()
class SSIMLoss(nn.Module):
    r"""One minus the structural similarity.

    .. math:: L = w \, (1 - \mathrm{SSIM}(O, T))

    Args:
        loss_weight: Weight of the loss.
        data_range: Difference between the largest and smallest possible value of the images.
        window: `gaussian` or `uniform`; see `ssim`.
        chroma_weight: Compare luma and chroma of RGB images: the loss is 1 - SSIM of Y plus this times
            1 - SSIM of U and V. None compares the channels as they are. A2Net (Lin et al., IEEE
            Access 2020) is trained by it with 0.6.

    Example:
        >>> image = torch.rand(1, 3, 16, 16)
        >>> round(float(SSIMLoss(window='uniform')(image, image)), 4)
        0.0
    """

    matrix: Tensor

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
        self.register_buffer('matrix', torch.tensor(YUV), persistent=False)

    def forward(self, pred: Tensor, gt: Tensor) -> Tensor:
        """Compute the loss in float32.

        Args:
            pred: Restored images (N, C, H, W).
            gt: Clean images (N, C, H, W).

        Returns:
            Scalar, at least 0.

        Raises:
            ValueError: The shapes differ, or a side is shorter than the window of 11 or 7 pixels.
        """
        least = WINDOW if self.window == 'gaussian' else UNIFORM
        if pred.shape != gt.shape or min(gt.shape[2:]) < least:
            raise ValueError(
                f'SSIMLoss needs equal shapes with sides of at least {least}, not '
                f'{tuple(pred.shape)} and {tuple(gt.shape)}'
            )
        if self.chroma_weight is None:
            return self.loss_weight * (1 - ssim(pred, gt, self.data_range, self.window))
        x, y = self._to_yuv(pred), self._to_yuv(gt)
        luma = 1 - ssim(x[:, :1], y[:, :1], self.data_range, self.window)
        chroma = 1 - ssim(x[:, 1:], y[:, 1:], self.data_range, self.window)
        return self.loss_weight * (luma + self.chroma_weight * chroma)

    def _to_yuv(self, image: Tensor) -> Tensor:
        """Return Y, U + 0.5 and V + 0.5 of RGB images; SSIM needs values that are not negative."""
        with torch.autocast(image.device.type, enabled=False):
            yuv = torch.einsum('kc,nchw->nkhw', self.matrix, image.float())
        yuv[:, 1:] += 0.5 * self.data_range
        return yuv
