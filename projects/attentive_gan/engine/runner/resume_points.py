"""Finds the checkpoint to resume from."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import resume_fault

_CHECKPOINT_NAME = re.compile(r'^(?:iter|epoch)_(\d+)\.pth$')


def resumable_checkpoints(folder: str | Path) -> list[Path]:
    """List the regular checkpoints of a folder (`iter_N.pth`, `epoch_N.pth`), newest first."""
    numbered = []
    for path in Path(folder).glob('*.pth'):
        match = _CHECKPOINT_NAME.match(path.name)
        if match:
            numbered.append((int(match[1]), path))
    return [path for _, path in sorted(numbered, reverse=True)]


def latest_valid_checkpoint(folder: str | Path, warn: Callable[[str], None]) -> Path:
    """Return the newest undamaged checkpoint.

    Args:
        folder: Work directory of a training.
        warn: Called with a message for every newer checkpoint that is damaged.

    Raises:
        UserError: There is none; a training is never restarted from scratch instead.
    """
    candidates = resumable_checkpoints(folder)
    for path in candidates:
        fault = resume_fault(path)
        if fault is None:
            return path
        warn(f'checkpoint {path} is not used: {fault}')
    found = f'{len(candidates)} checkpoints there are damaged' if candidates else 'there is none'
    raise UserError(
        f'--resume: no valid checkpoint iter_N.pth in {folder} ({found}); give --work-dir of the '
        'stopped training, or omit --resume to start a new training'
    )
