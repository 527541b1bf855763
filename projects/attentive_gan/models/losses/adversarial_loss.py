"""The adversarial losses, on logits."""

from __future__ import annotations

import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class AdversarialLoss(nn.Module):
    """Binary cross entropy for the discriminator, its opinion for the generator.

    With D the probability of being clean, the discriminator minimises -log D(R) - log(1 - D(O)).
    The generator minimises -log D(O), as the authors' released code does, or log(1 - D(O)), the
    paper's form, whose gradient vanishes while the discriminator is sure. On logits both are
    stable.

    Source: Qian et al., section 3.3, weight 0.01; flyywh/AttGAN_DeRaindrop, train.py.

    Args:
        loss_weight: Weight of the generator's loss; the discriminator's is not weighted.
        saturating: Use the paper's form for the generator.
    """

    def __init__(self, loss_weight: float = 0.01, saturating: bool = False) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.saturating = saturating

    def discriminator_loss(self, real_logits: Tensor, restored_logits: Tensor) -> Tensor:
        """Return -log D(R) - log(1 - D(O)), means over the batch.

        Args:
            real_logits: Logits of clean images, (N, 1).
            restored_logits: Logits of restored images, (N, 1).
        """
        return F.softplus(-real_logits.float()).mean() + F.softplus(restored_logits.float()).mean()

    def generator_loss(self, restored_logits: Tensor) -> Tensor:
        """Return the weighted loss of the generator.

        Args:
            restored_logits: Logits of restored images, (N, 1).
        """
        logits = restored_logits.float()
        loss = -F.softplus(logits) if self.saturating else F.softplus(-logits)
        return self.loss_weight * loss.mean()
