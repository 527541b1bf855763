"""Small networks whose weights describe themselves."""

from __future__ import annotations

from pathlib import Path

from attentive_gan.checkpoints.description import WeightsDescription
from attentive_gan.checkpoints.publishing import save_weights
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from torch import nn

from support.lively_networks import ATTENTIVE_UNET, BUILDERS, lively

#: Configs of small networks, by name; built like those in `lively_networks`.
CONFIGS = {
    'attentive': dict(type='AttentiveGenerator', num_steps=1),
    'attentive_unet': dict(type='AttentiveGenerator', **ATTENTIVE_UNET),
    'unet': dict(type='RestorationUNet', channels=[8, 12, 16], blocks=1, shuffle=2),
    'prenet': dict(type='PReNet', num_stages=2, channels=8),
    'a2net': dict(type='A2Net', channels=8, chroma_channels=6),
    'eigen': dict(type='EigenNet', channels=16),
    'pix2pix': dict(type='Pix2PixGenerator', num_down=5, base_channels=4),
}


def network_of(name: str) -> nn.Module:
    """Build one of `CONFIGS` with lively weights."""
    build = {**BUILDERS, 'attentive': lambda: AttentiveGenerator(num_steps=1)}[name]
    return lively(build())


def write_described(folder: Path, name: str, order: str = 'rgb') -> Path:
    """Write the weights of one of `CONFIGS` and return the file."""
    path = folder / f'{name}_{order}.safetensors'
    description = WeightsDescription(name, 'BaseEditModel', CONFIGS[name], order, '', 'nothing')
    save_weights(network_of(name).state_dict(), path, description)
    return path
