"""The networks: attentive generator, its parts, and the discriminators."""

from __future__ import annotations

from .attention_network import AttentionNetwork
from .attentive_generator import AttentiveGenerator, AttentiveOutput
from .autoencoder import ContextualAutoencoder
from .baselines.a2net import A2Net
from .baselines.durn import DuRNSP
from .baselines.eigen import EigenNet
from .baselines.pix2pix import Pix2PixDiscriminator, Pix2PixGenerator
from .baselines.prenet import PReNet
from .conv_lstm import ConvLSTM
from .discriminators import AttentiveDiscriminator, DiscriminatorOutput, PlainDiscriminator
from .residual_block import ResidualBlock
from .unet import RestorationUNet

__all__ = [
    'A2Net',
    'AttentionNetwork',
    'AttentiveDiscriminator',
    'AttentiveGenerator',
    'AttentiveOutput',
    'ContextualAutoencoder',
    'ConvLSTM',
    'DiscriminatorOutput',
    'DuRNSP',
    'EigenNet',
    'PReNet',
    'Pix2PixDiscriminator',
    'Pix2PixGenerator',
    'PlainDiscriminator',
    'ResidualBlock',
    'RestorationUNet',
]
