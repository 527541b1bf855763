"""The losses; each is a registered module that a config names."""

from __future__ import annotations

from .adversarial_loss import AdversarialLoss
from .attention_loss import AttentionLoss, attention_weights
from .discriminator_map_loss import AttentionMapLoss
from .multi_scale_loss import MultiScaleLoss
from .perceptual_loss import VGGPerceptualLoss
from .ssim_loss import SSIMLoss, ssim

__all__ = [
    'AdversarialLoss',
    'AttentionLoss',
    'AttentionMapLoss',
    'MultiScaleLoss',
    'SSIMLoss',
    'VGGPerceptualLoss',
    'attention_weights',
    'ssim',
]
