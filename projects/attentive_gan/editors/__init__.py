"""What a training step is."""

from __future__ import annotations

from .attentive_gan import AttentiveGAN
from .pair_preprocessor import PairPreprocessor
from .pix2pix import RestorationPix2Pix

__all__ = ['AttentiveGAN', 'PairPreprocessor', 'RestorationPix2Pix']
