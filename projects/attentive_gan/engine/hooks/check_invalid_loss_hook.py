"""Stops training at a loss that is not finite, before anything is saved or validated."""

from __future__ import annotations

import math
from typing import Any

from mmagic.registry import HOOKS
from mmengine.hooks import Hook, LoggerHook

from attentive_gan.engine.deferred_scalars import ScalarRows
from attentive_gan.errors import UserError

#: Interval of the checks without a logger, in iterations.
DEFAULT_INTERVAL = 100


@HOOKS.register_module()
class CheckInvalidLossHook(Hook):
    """Ends training with a clear message when a logged value is infinite or not a number.

    MMEngine would continue, overwrite good checkpoints with invalid weights and report success. The
    values of all iterations stay on their device and are checked together every `interval` iterations,
    before a checkpoint is saved and before validation. The first invalid iteration is reported, no
    invalid weights are saved, and the host does not synchronise with the device in between.

    Args:
        interval: Interval of the checks, in iterations; None for the interval of the logger.

    Raises:
        ValueError: The interval is below 1.
    """

    priority = 'VERY_HIGH'

    def __init__(self, interval: int | None = None) -> None:
        if interval is not None and interval < 1:
            raise ValueError(f'interval of CheckInvalidLossHook must be above 0, not {interval}')
        self.interval = interval
        self._default_interval = DEFAULT_INTERVAL
        self._rows = ScalarRows()

    def before_train(self, runner: Any) -> None:
        """Read the interval of the logger."""
        self._rows = ScalarRows()
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._default_interval = loggers[0].interval if loggers else DEFAULT_INTERVAL

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Store the logged values, and check them if that is due.

        Raises:
            UserError: A value is infinite or not a number; checkpoints saved before are valid.
        """
        self._rows.add((batch_idx + 1, batch_names(data_batch)), outputs or {})
        if (batch_idx + 1) % (self.interval or self._default_interval) == 0:
            self.check()

    def before_save(self, runner: Any) -> None:
        """Check before a checkpoint is written; called by `RestorationRunner`."""
        self.check()

    def before_val(self, runner: Any) -> None:
        """Check before validation."""
        self.check()

    def after_train(self, runner: Any) -> None:
        """Check the last values."""
        self.check()

    def check(self) -> None:
        """Check all values since the last check.

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
                    'last checkpoint, which is valid'
                )


def batch_names(batch: Any) -> list[str]:
    """Return the names of the samples of a batch.

    Args:
        batch: Batch of a data loader: a dictionary with `names`, a list of strings, or with
            `data_samples`, one or a list of samples with an `img_path`.

    Examples:
        >>> batch_names({'names': ['a.png', 'b.png']})
        ['a.png', 'b.png']
    """
    if not isinstance(batch, dict):
        return []
    if batch.get('names') is not None:
        return [str(name) for name in batch['names']]
    samples = batch.get('data_samples') or []
    samples = samples if isinstance(samples, (list, tuple)) else [samples]
    return [str(sample.get('img_path', '?')) for sample in samples]
