"""Adversarial losses on logits."""

from __future__ import annotations

import torch.nn.functional as F
from mmagic.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class AdversarialLoss(nn.Module):
    r"""Binary cross entropy of the discriminator, and its generator counterpart.

    With D the probability of a clean image, R clean and O restored images, the discriminator minimises

    .. math:: -\log D(R) - \log(1 - D(O))

    and the generator :math:`-\log D(O)`, as in the authors' code, or :math:`\log(1 - D(O))`, as in the
    paper, whose gradient vanishes while the discriminator is certain.

    Source: Qian et al., section 3.3, weight 0.01; flyywh/AttGAN_DeRaindrop, train.py.

    Args:
        loss_weight: Weight of the generator's loss; the discriminator's is not weighted.
        saturating: Use the paper's form for the generator.

    Example:
        >>> import torch
        >>> loss = AdversarialLoss(loss_weight=1.0)
        >>> loss.generator_loss(torch.zeros(1, 1))  # -log(1/2)
        tensor(0.6931)
    """

    def __init__(self, loss_weight: float = 0.01, saturating: bool = False) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.saturating = saturating

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Compute the discriminator's loss, means over the batch in float32.

        Args:
            real_logits: Logits of clean images, (N, 1).
            fake_logits: Logits of restored images, (N, 1).
        """
        return F.softplus(-real_logits.float()).mean() + F.softplus(fake_logits.float()).mean()

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """Compute the weighted loss of the generator in float32.

        Args:
            fake_logits: Logits of restored images, (N, 1).
        """
        logits = fake_logits.float()
        loss = -F.softplus(logits) if self.saturating else F.softplus(-logits)
        return self.loss_weight * loss.mean()
