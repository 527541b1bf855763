"""The loss on the decoder's outputs at a quarter, a half and the full size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn


def shrink(image: Tensor, factor: int, method: Literal['average', 'bilinear']) -> Tensor:
    """Shrink images (N, C, H, W) by a whole factor.

    Args:
        image: Images whose sides are multiples of the factor.
        factor: 1, 2 or 4.
        method: `average` takes the mean of each block, free of aliasing; `bilinear` interpolates
            between the middle pixels as OpenCV's resize does, which is the same at factor 2.

    Returns:
        Images (N, C, H / factor, W / factor).
    """
    if factor == 1:
        return image
    if method == 'average':
        return F.avg_pool2d(image, factor)
    return F.interpolate(image, scale_factor=1 / factor, mode='bilinear', align_corners=False)


def charbonnier(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean of sqrt((x - y)^2 + eps^2) - eps with eps = 1e-3, a quarter of an 8-bit level."""
    return ((x - y).square() + 1e-6).sqrt().mean() - 1e-3


_CRITERIA: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'mse': F.mse_loss,
    'charbonnier': charbonnier,
}


@MODELS.register_module()
class MultiScaleLoss(nn.Module):
    """Weighted sum of mean errors at three scales.

    Source: Qian et al., section 3.2, weights 0.6, 0.8, 1.0. Their code shrinks the clean image
    with OpenCV's bilinear resize.

    Args:
        weights: Weights of the quarter, half and full size.
        downsample: How the clean image is shrunk; see `shrink`.
        loss_weight: Weight of the whole loss.
        criterion: `mse`, the published squared error, or `charbonnier`, a smooth absolute error
            (Charbonnier et al., ICIP 1994), which weighs few large errors less.

    Raises:
        ValueError: There are not three weights, or `downsample` or `criterion` is unknown.
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

    def forward(self, outputs: Sequence[Tensor | None], clean: Tensor) -> Tensor:
        """Compute the loss in float32.

        Args:
            outputs: Images of a quarter, half and full size, (N, 3, H/4, W/4) to (N, 3, H, W); None for
                sizes that the network does not give, whose weights must be 0.
            clean: Clean images (N, 3, H, W) in [0, 1]; H and W are multiples of 4.

        Raises:
            ValueError: The sizes do not belong together, or an output that has a weight is missing.
        """
        total = clean.new_zeros((), dtype=clean.float().dtype)
        for weight, factor, output in zip(self.weights, (4, 2, 1), outputs, strict=True):
            if weight == 0:
                continue
            if output is None:
                raise ValueError(
                    f'the network gives no output at 1/{factor} size; set its weight to 0 '
                    f'(pixel_loss.weights={self.weights})'
                )
            target = shrink(clean.float(), factor, self.downsample)
            if output.shape != target.shape:
                raise ValueError(
                    f'the output at 1/{factor} size is {tuple(output.shape)}, but clean images '
                    f'of {tuple(clean.shape)} give {tuple(target.shape)}; train on crops whose '
                    'sides are multiples of 4'
                )
            total = total + weight * _CRITERIA[self.criterion](output.float(), target)
        return self.loss_weight * total
