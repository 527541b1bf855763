"""Logs the losses of a training step without synchronising with the device."""

from __future__ import annotations

from typing import Any

from mmagic.registry import HOOKS
from mmengine.hooks import RuntimeInfoHook

from attentive_gan.engine.deferred_scalars import deferred_scalars


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's `RuntimeInfoHook`, but losses are read from the device only when they are logged.

    Values, names and smoothing windows in the log are the same.
    """

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Store the losses on their device until a log line or a checkpoint needs them."""
        if outputs:
            values = {f'train/{name}': value for name, value in outputs.items()}
            deferred_scalars(runner.message_hub).update(values)
