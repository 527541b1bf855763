"""The loss that teaches the discriminator where to look."""

from __future__ import annotations

import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class AttentionMapLoss(nn.Module):
    """Mean squared errors of the discriminator's map: to a target where restored, to 0 where clean.

    Source: Qian et al., section 3.3, weight 0.05. One public port (xxx46408/Deraindrop-xixi) uses 1
    as target for clean images.

    Args:
        real_target: What the map of a clean image should be everywhere.
        loss_weight: Weight of the whole loss.
    """

    def __init__(self, real_target: float = 0.0, loss_weight: float = 0.05) -> None:
        super().__init__()
        self.real_target = real_target
        self.loss_weight = loss_weight

    def forward(self, restored_map: Tensor, real_map: Tensor, target: Tensor) -> Tensor:
        """Compute the loss in float32.

        Args:
            restored_map: The discriminator's map of restored images, (N, 1, H, W).
            real_map: Its map of clean images, (N, 1, H, W).
            target: The generator's last attention map or the mask, (N, 1, H, W); no gradient flows
                into it.

        Raises:
            ValueError: Map and target differ in shape.
        """
        if restored_map.shape != target.shape:
            raise ValueError(
                f"the discriminator's map {tuple(restored_map.shape)} and its target "
                f'{tuple(target.shape)} must have the same shape (N, 1, H, W)'
            )
        restored_error = F.mse_loss(restored_map.float(), target.detach().float())
        real_error = (real_map.float() - self.real_target).square().mean()
        return self.loss_weight * (restored_error + real_error)
