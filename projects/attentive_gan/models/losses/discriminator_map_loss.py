"""Loss of the discriminator's attention map."""

from __future__ import annotations

import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class AttentionMapLoss(nn.Module):
    r"""Mean squared errors of the discriminator's map: to the attention where restored, to 0 where clean.

    .. math:: L = w \, (\mathrm{MSE}(D_{map}(O), A_N) + \mathrm{MSE}(D_{map}(R), 0))

    Source: Qian et al., section 3.3, weight 0.05. A public port (xxx46408/Deraindrop-xixi) uses 1 as target
    for clean images.

    Args:
        real_target: Target of the map of a clean image, everywhere.
        loss_weight: Weight of the loss.

    Example:
        >>> import torch
        >>> ones, zeros = torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
        >>> AttentionMapLoss(loss_weight=1.0)(ones, ones, target=zeros)  # 1 + 1
        tensor(2.)
    """

    def __init__(self, real_target: float = 0.0, loss_weight: float = 0.05) -> None:
        super().__init__()
        self.real_target = real_target
        self.loss_weight = loss_weight

    def forward(self, fake_map: Tensor, real_map: Tensor, target: Tensor) -> Tensor:
        """Compute the loss in float32.

        Args:
            fake_map: The discriminator's map of restored images, (N, 1, H, W).
            real_map: Its map of clean images, (N, 1, H, W).
            target: The generator's last attention map or the mask, (N, 1, H, W); detached.

        Returns:
            Scalar, at least 0.

        Raises:
            ValueError: Map and target differ in shape.
        """
        if fake_map.shape != target.shape:
            raise ValueError(
                f"the discriminator's map {tuple(fake_map.shape)} and its target "
                f'{tuple(target.shape)} must have the same shape (N, 1, H, W)'
            )
        fake_error = F.mse_loss(fake_map.float(), target.detach().float())
        real_error = (real_map.float() - self.real_target).square().mean()
        return self.loss_weight * (fake_error + real_error)
