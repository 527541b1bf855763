"""Stops training after a loss that is not a number, before anything is saved or scored."""

from __future__ import annotations

import math
from typing import Any

from mmagic.registry import HOOKS
from mmengine.hooks import Hook, LoggerHook

from attentive_gan.engine.deferred_scalars import ScalarRows
from attentive_gan.errors import UserError

#: Iterations between two looks at the values where nothing is logged.
DEFAULT_INTERVAL = 100


@HOOKS.register_module()
class CheckInvalidLossHook(Hook):
    """End training with a clear message instead of going on with ruined weights.

    MMEngine goes on, saves the ruined weights over good ones and reports success. All values of all
    iterations are kept on their device and looked at together every `interval` iterations, before
    anything is saved, and before validation; so the first bad iteration is found and named, no ruined
    weights are saved, and the host does not wait for the device in between.

    Args:
        interval: Iterations between two looks; None is the logger's.

    Raises:
        ValueError: The interval is not above 0.
    """

    priority = 'VERY_HIGH'

    def __init__(self, interval: int | None = None) -> None:
        if interval is not None and interval < 1:
            raise ValueError(f'interval of CheckInvalidLossHook must be above 0, not {interval}')
        self.interval = interval
        self._logged = DEFAULT_INTERVAL
        self._rows = ScalarRows()

    def before_train(self, runner: Any) -> None:
        """Find out how often the training logs."""
        self._rows = ScalarRows()
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._logged = loggers[0].interval if loggers else DEFAULT_INTERVAL

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Keep all logged values of the iteration, and look at them when it is time.

        Raises:
            UserError: A value is infinite or not a number; checkpoints saved before are sound.
        """
        self._rows.add((batch_idx + 1, batch_names(data_batch)), outputs or {})
        if (batch_idx + 1) % (self.interval or self._logged) == 0:
            self.check()

    def before_save(self, runner: Any) -> None:
        """Look at the values before a checkpoint is written; `RestorationRunner` calls this."""
        self.check()

    def before_val(self, runner: Any) -> None:
        """Look at the values before weights are scored."""
        self.check()

    def after_train(self, runner: Any) -> None:
        """Look at the last values."""
        self.check()

    def check(self) -> None:
        """Look at all values since the last look.

        Raises:
            UserError: One is infinite or not a number.
        """
        for (iteration, names), values in self._rows.read():
            bad = [name for name, value in values.items() if not math.isfinite(value)]
            if bad:
                raise UserError(
                    f'{", ".join(bad)} became infinite or not a number in iteration {iteration} on '
                    f'{", ".join(names) or "an unnamed batch"}; lower the learning rate '
                    '(optim_wrapper.generator.optimizer.lr), clip gradients (optim_wrapper.generator.'
                    'clip_grad.max_norm) or train without mixed precision, then --resume from the '
                    'last checkpoint, which is sound'
                )


def batch_names(batch: Any) -> list[str]:
    """Return what the samples of a batch are called.

    Args:
        batch: Batch of a data loader: a dictionary with `names`, a list of strings, or with
            `data_samples`, a list of samples that know their `img_path`.
    """
    if not isinstance(batch, dict):
        return []
    if batch.get('names') is not None:
        return [str(name) for name in batch['names']]
    samples = batch.get('data_samples') or []
    samples = samples if isinstance(samples, (list, tuple)) else [samples]
    return [str(sample.get('img_path', '?')) for sample in samples]
