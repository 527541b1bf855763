"""A config's data sets; they must be there before anything slow is built or downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmagic.registry import DATASETS
from mmengine.config import Config

from attentive_gan.datasets.pairing import require_folders


def data_sets(config: Config, part: str) -> Iterator[Mapping[str, Any]]:
    """Yield the data sets of a part of a config, also those that another one joins or repeats.

    Args:
        config: Config of a training.
        part: 'train', 'val' or 'test'.

    Example:
        >>> joined = dict(type='ConcatDataset', datasets=[dict(type='A'), dict(type='B')])
        >>> config = Config(dict(test_dataloader=dict(dataset=joined)))
        >>> [dataset['type'] for dataset in data_sets(config, 'test')]
        ['A', 'B']
    """
    nodes = [(config.get(f'{part}_dataloader') or {}).get('dataset')]
    while nodes:
        node = nodes.pop(0)
        if isinstance(node, Mapping):
            inner = [
                *(node.get('datasets') or []),
                *([node['dataset']] if 'dataset' in node else []),
            ]
            if not inner:
                yield node
            nodes = inner + nodes


def require_data(config: Config) -> None:
    """Name the first data set of training or validation whose folder is missing.

    Args:
        config: Config of a training.

    Raises:
        UserError: A `data_root` does not exist.
    """
    nodes: list[Any] = [(config.get(f'{part}_dataloader') or {}) for part in ('train', 'val')]
    while nodes:
        node = nodes.pop(0)
        if isinstance(node, (list, tuple)):
            nodes += node
        elif isinstance(node, dict):
            root = node.get('data_root')
            if root and 'type' in node:
                kind = DATASETS.get(node['type']) if isinstance(node['type'], str) else node['type']
                layout = getattr(kind, 'LAYOUT', 'docs/data.md has the layouts')
                require_folders(Path(root), (), layout)
            nodes += node.values()
