"""Loss of the attention maps of the recurrent network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn


def attention_weights(steps: int, theta: float = 0.8, exponent_offset: int = 0) -> list[float]:
    """Return the weight of each step's map: theta^(N - t + offset) for t = 1..N.

    Args:
        steps: Number of steps N.
        theta: Base of the weights, in (0, 1].
        exponent_offset: 0 in the paper, so that the last map has weight 1; 1 in the authors' code.

    Example:
        >>> attention_weights(3, theta=0.5)
        [0.25, 0.5, 1.0]
    """
    return [theta ** (steps - step + exponent_offset) for step in range(1, steps + 1)]


def mask_divergence(attention: Tensor, mask: Tensor) -> Tensor:
    """Return the mean Kullback-Leibler divergence of maps from a mask, both in [0, 1].

    NaN in a map gives NaN, which `CheckInvalidLossHook` reports; `F.binary_cross_entropy` would end the
    process by an assertion on the device.

    Args:
        attention: Attention maps, any shape.
        mask: Mask of the same shape.

    Example:
        >>> mask_divergence(torch.tensor([0.5]), torch.tensor([1.0]))  # log 2
        tensor(0.6931)
    """
    inside = attention.clamp(1e-12, 1 - 2**-24)  # the largest number below 1 in float32
    crossed = mask * inside.log() + (1 - mask) * torch.log1p(-inside)
    entropy = torch.xlogy(mask, mask) + torch.xlogy(1 - mask, 1 - mask)
    return (entropy - crossed).mean()


_CRITERIA: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'mse': F.mse_loss,
    'bce': mask_divergence,
}


@MODELS.register_module()
class AttentionLoss(nn.Module):
    r"""Weighted sum over the steps of the error between attention map and mask.

    .. math:: L = w \sum_{t=1}^N \theta^{N - t} \, \mathrm{MSE}(A_t, M)

    Source: Qian et al., section 3.1 (theta 0.8); flyywh/AttGAN_DeRaindrop, train.py (theta 0.6, exponent
    one higher).

    Args:
        theta: Base of the weights, in (0, 1]; later steps have larger weights.
        exponent_offset: Added to all exponents.
        loss_weight: Weight of the loss.
        criterion: `mse`, the published mean squared error, or `bce`, the binary cross entropy minus that
            of a map equal to the mask, for maps in (0, 1): its gradient does not vanish where the sigmoid
            of a map saturates, which stops the training of a gated network.

    Raises:
        ValueError: `criterion` is unknown.

    Example:
        >>> maps, mask = [torch.zeros(1, 1, 4, 4)] * 2, torch.ones(1, 1, 4, 4)
        >>> AttentionLoss(theta=0.8)(maps, mask)  # 0.8 + 1
        tensor(1.8000)
    """

    def __init__(
        self,
        theta: float = 0.8,
        exponent_offset: int = 0,
        loss_weight: float = 1.0,
        criterion: Literal['mse', 'bce'] = 'mse',
    ) -> None:
        super().__init__()
        if criterion not in _CRITERIA:
            raise ValueError(f"criterion must be 'mse' or 'bce', not {criterion!r}")
        self.criterion = criterion
        self.theta = theta
        self.exponent_offset = exponent_offset
        self.loss_weight = loss_weight

    def forward(self, attention_maps: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Compute the loss in float32.

        Args:
            attention_maps: One map (N, 1, H, W) per step, unbounded.
            mask: Raindrop mask (N, 1, H, W) in [0, 1].

        Returns:
            Scalar, at least 0.

        Raises:
            ValueError: There is no map, or a map and the mask differ in shape; broadcasting would compare
                each map with all masks of the batch.
        """
        if not attention_maps:
            raise ValueError('AttentionLoss got no attention maps; leave it out without attention')
        target = mask.float()
        terms = []
        weights = attention_weights(len(attention_maps), self.theta, self.exponent_offset)
        for weight, attention in zip(weights, attention_maps, strict=True):
            if attention.shape != mask.shape:
                raise ValueError(
                    f'attention map {tuple(attention.shape)} and mask {tuple(mask.shape)} must '
                    'have the same shape (N, 1, H, W)'
                )
            terms.append(weight * _CRITERIA[self.criterion](attention.float(), target))
        return self.loss_weight * sum(terms[1:], terms[0])
