"""Writes the mean scores of a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmagic.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_json


@HOOKS.register_module()
class MeanScoresHook(Hook):
    """Writes the mean scores of a test to one JSON file (`tools/test.py --out`).

    Args:
        path: File to write.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    @master_only
    def after_test_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Write the means of all data sets."""
        write_text(self.path, to_json(metrics or {}))
        runner.logger.info(f'Mean scores: {self.path}')
