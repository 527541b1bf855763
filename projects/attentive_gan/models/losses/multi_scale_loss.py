"""Loss of the decoder's outputs at a quarter, half and full size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn


def shrink(image: Tensor, factor: int, method: Literal['average', 'bilinear']) -> Tensor:
    """Downsample images by an integer factor.

    Args:
        image: Images (N, C, H, W) whose sides are multiples of the factor.
        factor: 1, 2 or 4.
        method: `average`, the mean of each block, free of aliasing; or `bilinear`, interpolation between
            the middle pixels as by OpenCV's resize, which is equal at factor 2.

    Returns:
        Images (N, C, H / factor, W / factor).
    """
    if factor == 1:
        return image
    if method == 'average':
        return F.avg_pool2d(image, factor)
    return F.interpolate(image, scale_factor=1 / factor, mode='bilinear', align_corners=False)


def charbonnier(pred: Tensor, gt: Tensor) -> Tensor:
    """Return the mean of sqrt((pred - gt)^2 + eps^2) - eps with eps = 1e-3, a quarter of an 8-bit level."""
    return ((pred - gt).square() + 1e-6).sqrt().mean() - 1e-3


_CRITERIA: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'mse': F.mse_loss,
    'charbonnier': charbonnier,
}


@MODELS.register_module()
class MultiScaleLoss(nn.Module):
    r"""Weighted sum of mean errors at three scales.

    .. math:: L = w \sum_{i=1}^3 \lambda_i \, \mathrm{MSE}(S_i, T_i)

    Source: Qian et al., section 3.2, weights 0.6, 0.8, 1.0. Their code shrinks the clean image with
    OpenCV's bilinear resize.

    Args:
        weights: Weights of the quarter, half and full size.
        downsample: How the clean image is shrunk; see `shrink`.
        loss_weight: Weight of the loss.
        criterion: `mse`, the published squared error, or `charbonnier`, a smooth absolute error
            (Charbonnier et al., ICIP 1994), in which few large errors count less.

    Raises:
        ValueError: There are not three weights, or `downsample` or `criterion` is unknown.

    Example:
        >>> import torch
        >>> pred = [torch.zeros(1, 3, size, size) for size in (2, 4, 8)]
        >>> MultiScaleLoss()(pred, torch.ones(1, 3, 8, 8))  # 0.6 + 0.8 + 1
        tensor(2.4000)
    """

    def __init__(
        self,
        weights: Sequence[float] = (0.6, 0.8, 1.0),
        downsample: Literal['average', 'bilinear'] = 'average',
        loss_weight: float = 1.0,
        criterion: Literal['mse', 'charbonnier'] = 'mse',
    ) -> None:
        super().__init__()
        if criterion not in _CRITERIA:
            raise ValueError(f"criterion must be 'mse' or 'charbonnier', not {criterion!r}")
        if downsample not in ('average', 'bilinear'):
            raise ValueError(f"downsample must be 'average' or 'bilinear', not {downsample!r}")
        if len(weights) != 3:
            raise ValueError(f'weights must be for quarter, half and full size, not {weights!r}')
        self.weights = tuple(weights)
        self.downsample = downsample
        self.loss_weight = loss_weight
        self.criterion = criterion

    def forward(self, pred: Sequence[Tensor | None], gt: Tensor) -> Tensor:
        """Compute the loss in float32.

        Args:
            pred: Images of a quarter, half and full size, (N, 3, H/4, W/4) to (N, 3, H, W); None for
                sizes without output, whose weights must be 0.
            gt: Clean images (N, 3, H, W) in [0, 1]; H and W are multiples of 4.

        Returns:
            Scalar, at least 0.

        Raises:
            ValueError: The sizes do not match, or an output with a weight is missing.
        """
        total = gt.new_zeros((), dtype=gt.float().dtype)
        for weight, factor, output in zip(self.weights, (4, 2, 1), pred, strict=True):
            if weight == 0:
                continue
            if output is None:
                raise ValueError(
                    f'the network gives no output at 1/{factor} size; set its weight to 0 '
                    f'(pixel_loss.weights={self.weights})'
                )
            target = shrink(gt.float(), factor, self.downsample)
            if output.shape != target.shape:
                raise ValueError(
                    f'the output at 1/{factor} size is {tuple(output.shape)}, but clean images '
                    f'of {tuple(gt.shape)} give {tuple(target.shape)}; train on crops whose '
                    'sides are multiples of 4'
                )
            total = total + weight * _CRITERIA[self.criterion](output.float(), target)
        return self.loss_weight * total
