"""What a training step is."""

from __future__ import annotations

from .attentive_gan import AttentiveGAN

__all__ = ['AttentiveGAN']
