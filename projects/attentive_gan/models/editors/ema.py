"""A moving average of weights in a few kernels, without synchronising with the device."""

from __future__ import annotations

from typing import Any

import torch
from mmagic.registry import MODELS
from mmengine.model import ExponentialMovingAverage
from torch import Tensor, nn


@MODELS.register_module()
class ForeachEMA(ExponentialMovingAverage):
    """MMEngine's `ExponentialMovingAverage` with one foreach kernel for all weights.

    MMEngine's reads its step count from the device twice per update and launches a kernel per weight.
    Here steps are also counted on the host. Checkpoints have the same keys and values (`module.*`,
    `steps`).

    Args:
        model: Network to average; copied with its device and memory format.
        momentum: Weight of the new parameters in an update, in (0, 1).
        interval: Interval of averaging, in updates.
        device: Device of the average; None for that of the network.
        update_buffers: Whether floating-point buffers are averaged too; otherwise all are copied.
        warmup: Whether the weight of the new parameters is at least 9 / (10 + n) after n updates, for
            short trainings.
    """

    def __init__(
        self,
        model: nn.Module,
        momentum: float = 0.0002,
        interval: int = 1,
        device: torch.device | None = None,
        update_buffers: bool = False,
        warmup: bool = False,
    ) -> None:
        super().__init__(model, momentum, interval, device, update_buffers)
        self.warmup = warmup
        # None: read it from the buffer `steps`, as after loading a checkpoint.
        self._count: int | None = 0

    def share_of_new(self, count: int) -> float:
        """Return the weight of the new parameters in an update.

        Args:
            count: Number of updates so far.
        """
        return float(max(self.momentum, 9 / (10 + count)) if self.warmup else self.momentum)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Update the average with the weights of a network; the first call copies them.

        Args:
            model: Network of the same structure, without a distributed wrapper.
        """
        count = int(self.steps) if self._count is None else self._count
        averaged, source = self._weights(self.module), self._weights(model)
        if count == 0:
            _copy(averaged, source)
        elif count % self.interval == 0:
            self._average(averaged, source, self.share_of_new(count))
        if not self.update_buffers:
            _copy(list(self.module.buffers()), list(model.buffers()))
        self._count = count + 1
        self.steps.fill_(self._count)

    def _weights(self, model: nn.Module) -> list[Tensor]:
        """Return the tensors that are averaged."""
        if self.update_buffers:
            return list(model.state_dict().values())
        return [parameter.detach() for parameter in model.parameters()]

    def _average(self, averaged: list[Tensor], source: list[Tensor], share: float) -> None:
        """Interpolate all floating-point tensors."""
        pairs = [
            (old, new.to(old.device))
            for old, new in zip(averaged, source, strict=True)
            if old.is_floating_point()
        ]
        torch._foreach_lerp_([old for old, _ in pairs], [new for _, new in pairs], share)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """Load a checkpoint, including the number of steps."""
        super()._load_from_state_dict(*args, **kwargs)
        self._count = None


def _copy(targets: list[Tensor], sources: list[Tensor]) -> None:
    """Copy tensors, also between devices."""
    if targets and hasattr(torch, '_foreach_copy_'):
        torch._foreach_copy_(targets, sources)
    else:  # before torch 2.1
        for target, source in zip(targets, sources, strict=True):
            target.copy_(source)
