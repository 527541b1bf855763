"""Structural similarity as a loss, which derain methods expect and MMagic lacks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn

#: Side of the Gaussian window and its standard deviation in pixels (Wang et al. 2004).
WINDOW, SIGMA = 11, 1.5
#: Stabilising constants relative to the data range (Wang et al. 2004).
K1, K2 = 0.01, 0.03


def ssim(first: Tensor, second: Tensor, data_range: float = 1.0) -> Tensor:
    """Return the mean structural similarity over windows that lie inside the pictures.

    Args:
        first: Pictures (N, C, H, W), sides at least 11.
        second: Pictures of the same shape.
        data_range: Difference between the largest and smallest possible value.

    Returns:
        A number of float32, at most 1; computed in float32 under autocast, too.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE TIP 2004: 11 x 11 Gaussian window of sigma 1.5, population covariance.
    """
    with torch.autocast(first.device.type, enabled=False):
        return _ssim(first.float(), second.float(), data_range)


def _ssim(x: Tensor, y: Tensor, data_range: float) -> Tensor:
    """Compute `ssim` in the precision of its arguments."""
    channels = x.shape[1]
    line = torch.arange(WINDOW, dtype=x.dtype, device=x.device) - WINDOW // 2
    line = torch.exp(-line.square() / (2 * SIGMA**2))
    line = (line / line.sum()).expand(channels, 1, 1, WINDOW)

    def blur(picture: Tensor) -> Tensor:
        across = F.conv2d(picture, line, groups=channels)
        return F.conv2d(across, line.transpose(2, 3), groups=channels)

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
        data_range: Difference between the largest and smallest possible value of the pictures.
    """

    def __init__(self, loss_weight: float = 1.0, data_range: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.data_range = data_range

    def forward(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compute the loss in float32.

        Args:
            restored: Restored pictures (N, C, H, W).
            clean: Clean pictures (N, C, H, W).

        Raises:
            ValueError: The shapes differ, or a side is shorter than the window of 11 pixels.
        """
        if restored.shape != clean.shape or min(clean.shape[2:]) < WINDOW:
            raise ValueError(
                f'SSIMLoss needs equal shapes with sides of at least {WINDOW}, not '
                f'{tuple(restored.shape)} and {tuple(clean.shape)}'
            )
        return self.loss_weight * (1 - ssim(restored, clean, self.data_range))
