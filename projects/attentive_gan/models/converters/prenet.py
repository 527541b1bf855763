"""PReNet's published weights: how to recognise them, read them, and give them our names.

Source: csdwren/PReNet, `networks.py` and `logs/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.models.networks.baselines.prenet import PReNet

from .attentive_gan import from_published
from .pickle_file import git_blob_id, read_published_file

#: What the known files are, by Git's name for their content (`git hash-object FILE`).
PUBLISHED_BLOBS = {
    'cc604a708bf339f2053c07c304c4c53ed572a4a2': 'logs/Rain100H/PReNet6/net_latest.pth',
    'c745548d7b628d10584ae51cb59c13ad1233cb7c': 'logs/Rain100L/PReNet6/net_latest.pth',
}


def published_layers(num_blocks: int) -> dict[str, str]:
    """Map the published names of layers to ours, in their published order.

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
    """Read one of the authors' LSTM networks without running code from the file.

    Args:
        path: The file, `net_latest.pth`.
        allow_unknown: Whether to go on with a file that is not in `PUBLISHED_BLOBS`.

    Returns:
        Tensors by their published names, and Git's name for the file's content.

    Raises:
        UserError: The file is missing, unknown while `allow_unknown` is off, or cannot be read.
    """
    if not path.is_file():
        raise UserError(
            f'{path} does not exist; download logs/Rain100H/PReNet6/net_latest.pth from '
            'https://github.com/csdwren/PReNet and give its path'
        )
    found = git_blob_id(path)
    if found not in PUBLISHED_BLOBS and not allow_unknown:
        raise UserError(
            f'{path} is none of the known PReNet files: its git blob id is {found}; '
            f'known are {", ".join(f"{blob} ({name})" for blob, name in PUBLISHED_BLOBS.items())}; '
            'download it again, or add --allow-unknown to convert this file'
        )
    return read_published_file(path, allow_unknown=True), found


def convert_prenet(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn a published LSTM network's state dict into one for `PReNet`, working in RGB.

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
