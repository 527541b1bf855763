"""Editors: models with their training step."""

from __future__ import annotations

from .attentive_gan import AttentiveGAN
from .pix2pix import RestorationPix2Pix

__all__ = ['AttentiveGAN', 'RestorationPix2Pix']
