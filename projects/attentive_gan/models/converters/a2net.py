"""Converts A2Net's published weights.

Source: HuangxingLin123/A2Net-Adjacent-Aggregation-Networks-for-Image-Raindrop-Removal,
`checkpoints/pretrained/latest_net_G.pth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from attentive_gan.models.networks.baselines.a2net import A2Net

from .attentive_gan import from_published
from .pickle_file import read_published_file

#: The authors' file, by Git's name of its content (`git hash-object FILE`).
PUBLISHED_BLOBS = {
    '376d1706f4c4bfb0e813dab0b9c89373e43257aa': 'checkpoints/pretrained/latest_net_G.pth'
}

_LEVELS = 3
_DOWN = {'conv1': 'conv', 'down1': 'halve_input', 'down2': 'halve_conv', 'conv2': 'join'}
_UP = {'conv1': 'conv', 'up1': 'double_conv', 'up2': 'double_input', 'conv2': 'join'}

#: Names of our layers by their published names, in published order.
PUBLISHED_LAYERS = {
    'inc.0': 'head',
    **{
        f'down{level + 1}.{published}.0': f'down.{level}.{ours}'
        for level in range(_LEVELS)
        for published, ours in _DOWN.items()
    },
    **{
        name: layer
        for suffix, tail, decoder in (('_UV', 'outc_UV', 'chroma'), ('', 'outc_Y', 'luma'))
        for name, layer in (
            *(
                (f'up{suffix}{level + 1}.{published}.0', f'{decoder}.up.{level}.{ours}')
                for level in range(_LEVELS)
                for published, ours in _UP.items()
            ),
            (f'{tail}.0', f'{decoder}.tail'),
        )
    },
}


def read_a2net_file(path: Path, allow_unknown: bool = False) -> tuple[Mapping[str, Tensor], str]:
    """Read the authors' `latest_net_G.pth`; see `read_published_file`."""
    return read_published_file(
        path,
        PUBLISHED_BLOBS,
        'A2Net, checkpoints/pretrained/latest_net_G.pth of https://github.com/HuangxingLin123/'
        'A2Net-Adjacent-Aggregation-Networks-for-Image-Raindrop-Removal,',
        allow_unknown,
    )


def convert_a2net(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert the published network's state dict to one for `A2Net`, in RGB.

    Args:
        published: Tensors by their published names.

    Returns:
        A complete state dict for `A2Net()`.

    Raises:
        UserError: Names or shapes are not exactly those of the published network.
    """
    with torch.device('meta'):
        network = A2Net()
    return from_published(published, PUBLISHED_LAYERS, network)
