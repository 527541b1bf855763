"""The data sets of a config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config


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
