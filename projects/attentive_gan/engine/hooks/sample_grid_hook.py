"""Visualizes the same validation images during training."""

from __future__ import annotations

from typing import Any

import torch
from mmagic.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from attentive_gan.evaluation.panels import comparison_panels
from attentive_gan.image_io.comparison import comparison_grid, comparison_row


@HOOKS.register_module()
class SampleGridHook(Hook):
    """Shows the first validation images during training, in TensorBoard and as files.

    Args:
        interval: Interval between two grids, in iterations.
        count: Number of images in the grid.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000, count: int = 4) -> None:
        self.interval = interval
        self.count = count

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Add a grid every `interval` iterations and after the last one."""
        if self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner):
            self._add_grid(runner)

    @master_only
    def _add_grid(self, runner: Any) -> None:
        """Restore the images and pass the grid to the visualizer."""
        if runner.val_loop is None:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        dataset = runner.val_loop.dataloaders[0].dataset
        model.eval()
        rows = []
        with torch.no_grad():
            for index in range(min(self.count, len(dataset))):
                item = dataset[index]
                batch = {'inputs': [item['inputs']], 'data_samples': [item['data_samples']]}
                rows.append(comparison_row(comparison_panels(model.test_step(batch)[0])))
        model.train()
        runner.visualizer.add_image('samples', comparison_grid(rows), step=runner.iter + 1)
