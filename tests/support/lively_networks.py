"""Networks whose results depend on all that they can see."""

from __future__ import annotations

from collections.abc import Callable

import torch
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.baselines.a2net import A2Net
from attentive_gan.models.networks.baselines.eigen import EigenNet
from attentive_gan.models.networks.baselines.pix2pix import Pix2PixGenerator
from attentive_gan.models.networks.baselines.prenet import PReNet
from attentive_gan.models.networks.unet import RestorationUNet
from torch import nn

#: Attentive generator with a U-Net on half of the grid.
ATTENTIVE_UNET = dict(
    num_steps=2, attention_activation='sigmoid', attention_width=0.25, blocks=1, shuffle=2,
    unet=dict(channels=[8, 12], blocks=1), gated=True,
)  # fmt: skip

#: Small networks that declare how they pad, by name.
BUILDERS: dict[str, Callable[[], nn.Module]] = {
    'attentive': lambda: AttentiveGenerator(num_steps=2),
    'autoencoder': lambda: AttentiveGenerator(attention=False),
    'attentive_unet': lambda: AttentiveGenerator(**ATTENTIVE_UNET),
    'unet': lambda: RestorationUNet(channels=(8, 12, 16), blocks=1, shuffle=2),
    'prenet': lambda: PReNet(num_stages=2, channels=8),
    'prenet_gru': lambda: PReNet(num_stages=2, cell='gru', channels=8, shared_blocks=True),
    'a2net': lambda: A2Net(channels=8, chroma_channels=6),
    'eigen': lambda: EigenNet(channels=16),
    'pix2pix': lambda: Pix2PixGenerator(num_down=5, base_channels=4),
}


def lively(network: nn.Module) -> nn.Module:
    """Give a network weights that carry values far, so that a pixel that is missed shows."""
    torch.manual_seed(3)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter, a=1)
        else:
            nn.init.normal_(parameter, 0, 0.05)
    return network.eval().requires_grad_(False)
