"""Writes the time of each iteration of a training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmagic.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

from attentive_gan.utils.atomic_io import write_text


@HOOKS.register_module()
class IterationTimesHook(Hook):
    """Writes the seconds of each iteration, including data loading, at the end of a training.

    Args:
        path: JSON file with a list `seconds`.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    @master_only
    def after_train(self, runner: Any) -> None:
        """Write the measurements of the runner's timer."""
        history, _ = runner.message_hub.get_scalar('train/time').data
        write_text(self.path, json.dumps({'seconds': [float(s) for s in history]}) + '\n')
