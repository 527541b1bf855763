"""Logs what a training step returns without waiting for the device."""

from __future__ import annotations

from typing import Any

from mmagic.registry import HOOKS
from mmengine.hooks import RuntimeInfoHook

from attentive_gan.engine.deferred_scalars import deferred_scalars


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """MMEngine's `RuntimeInfoHook`, which reads every loss in every iteration, without that.

    Values, names and smoothing windows in the log are the same.
    """

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Keep the values of the iteration on their device until a log line or a checkpoint needs them."""
        if outputs:
            values = {f'train/{name}': value for name, value in outputs.items()}
            deferred_scalars(runner.message_hub).update(values)
