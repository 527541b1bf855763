"""MMEngine 0.10.7 cannot read its own checkpoints on torch >= 2.6."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from attentive_gan.utils.checkpoint_io import read_checkpoint


def apply() -> tuple[bool, str]:
    """Let MMEngine's loader read local files through `read_checkpoint` where it cannot itself."""
    if torch.__version__ < torch.torch_version.TorchVersion('2.6'):
        return False, f'torch {torch.__version__} reads MMEngine checkpoints'

    from mmengine.runner import CheckpointLoader

    def load_local(filename: str, map_location: Any = None) -> dict[str, Any]:
        return read_checkpoint(Path(filename).expanduser(), map_location or 'cpu')

    CheckpointLoader.register_scheme(prefixes='', loader=load_local, force=True)
    return True, f'torch {torch.__version__} refuses MMEngine checkpoints by default'
