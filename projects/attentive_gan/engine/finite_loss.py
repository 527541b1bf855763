"""Stops training at the first loss that is not a number."""

from __future__ import annotations

import math
from typing import Any

from mmagic.registry import HOOKS
from mmengine.hooks import Hook
from torch import Tensor

from attentive_gan.errors import UserError


@HOOKS.register_module()
class StopOnNonFinite(Hook):
    """End training with a clear message instead of going on with ruined weights.

    MMEngine goes on, saves the ruined weights over good ones and reports success.
    """

    priority = 'VERY_HIGH'

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Look at all logged values of the iteration.

        Raises:
            UserError: A value is infinite or not a number; checkpoints saved before are sound.
        """
        bad = [name for name, value in (outputs or {}).items() if not math.isfinite(_number(value))]
        if not bad:
            return
        samples = (data_batch or {}).get('data_samples', [])
        names = [str(sample.metainfo.get('img_path', '?')) for sample in samples]
        raise UserError(
            f'{", ".join(bad)} became infinite or not a number in iteration {batch_idx + 1} on '
            f'{", ".join(names) or "an unnamed batch"}; lower the learning rate '
            '(optim_wrapper.generator.optimizer.lr), clip gradients (optim_wrapper.generator.'
            'clip_grad.max_norm) or train without mixed precision, then --resume from the last '
            'checkpoint, which is sound'
        )


def _number(value: Any) -> float:
    """Return a logged value; MMagic's editors log losses that still have a gradient."""
    return float(value.detach() if isinstance(value, Tensor) else value)
