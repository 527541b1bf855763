"""Converts PReNet's published weights.

Source: csdwren/PReNet, `networks.py` and `logs/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from attentive_gan.models.networks.baselines.prenet import PReNet

from .attentive_gan import from_published
from .pickle_file import read_published_file

#: The authors' files, by Git's name of their content (`git hash-object FILE`).
PUBLISHED_BLOBS = {
    'cc604a708bf339f2053c07c304c4c53ed572a4a2': 'logs/Rain100H/PReNet6/net_latest.pth',
    '811b87196f2293c372d83d9268e0b7597f587fda': 'a six-stage network trained on Raindrop',
    'c745548d7b628d10584ae51cb59c13ad1233cb7c': 'logs/Rain100L/PReNet6/net_latest.pth',
}


def published_layers(num_blocks: int) -> dict[str, str]:
    """Return the names of our layers by their published names, in published order.

    Args:
        num_blocks: 5, or 1 for PReNet_r.
    """
    return {
        'conv0.0': 'head',
        **{
            f'res_conv{k + 1}.{place}': f'blocks.{k}.{name}'
            for k in range(num_blocks)
            for place, name in ((0, 'first'), (2, 'second'))
        },
        **{f'conv_{gate}.0': 'cell.gates' for gate in 'ifgo'},
        'conv.0': 'tail',
    }


def read_prenet_file(path: Path, allow_unknown: bool = False) -> tuple[Mapping[str, Tensor], str]:
    """Read one of the authors' LSTM networks, `net_latest.pth`; see `read_published_file`."""
    return read_published_file(
        path,
        PUBLISHED_BLOBS,
        'PReNet, logs/Rain100H/PReNet6/net_latest.pth of https://github.com/csdwren/PReNet,',
        allow_unknown,
    )


def convert_prenet(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert a published LSTM network's state dict to one for `PReNet`, in RGB.

    Args:
        published: Tensors by their published names, of PReNet or of PReNet_r.

    Returns:
        A complete state dict for `PReNet()` or `PReNet(shared_blocks=True)`.

    Raises:
        UserError: Names or shapes are not exactly those of a published network.
    """
    shared = 'res_conv2.0.weight' not in published
    with torch.device('meta'):
        network = PReNet(shared_blocks=shared)
    return from_published(published, published_layers(1 if shared else PReNet.NUM_BLOCKS), network)
