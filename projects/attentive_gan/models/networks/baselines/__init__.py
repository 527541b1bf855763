"""Other restorers, to compare with: networks that MMagic lacks."""

from __future__ import annotations

from .durn import DuRNSP
from .eigen import EigenNet
from .pix2pix import Pix2PixDiscriminator, Pix2PixGenerator
from .prenet import ConvGRU, PReNet

__all__ = ['ConvGRU', 'DuRNSP', 'EigenNet', 'PReNet', 'Pix2PixDiscriminator', 'Pix2PixGenerator']
