"""A config's data must be there before anything slow is built or downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmagic.registry import DATASETS
from mmengine.config import Config

from attentive_gan.datasets.pairing import require_folders


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
