"""Other restorers, to compare with: networks that MMagic lacks."""

from __future__ import annotations

from .a2net import A2Net
from .durn import DuRNSP
from .eigen import EigenNet
from .pix2pix import Pix2PixDiscriminator, Pix2PixGenerator
from .prenet import ConvGRU, PReNet

__all__ = [
    'A2Net',
    'ConvGRU',
    'DuRNSP',
    'EigenNet',
    'PReNet',
    'Pix2PixDiscriminator',
    'Pix2PixGenerator',
]
