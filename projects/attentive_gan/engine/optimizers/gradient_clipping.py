"""Gradient clipping that does not synchronise with the device."""

from __future__ import annotations

from typing import Any

from mmengine.logging import MessageHub
from torch import Tensor

from attentive_gan.engine.deferred_scalars import deferred_scalars


class DeferredClipping:
    """Clips gradients by a given function and logs the norm as a deferred scalar.

    MMEngine's `OptimWrapper` reads the norm that its `clip_func` returns after every step; this one
    returns None.

    Args:
        clip: Function of parameters and options that clips and returns a norm, or None.
        name: Name of the logged value.
        hub: Message hub of the runner.
    """

    def __init__(self, clip: Any, name: str, hub: MessageHub) -> None:
        self.clip = clip
        self.name = name
        self.hub = hub

    def __call__(self, parameters: list[Tensor], **options: Any) -> None:
        """Clip the gradients of parameters.

        Args:
            parameters: Parameters that have a gradient.
            options: Options of the clipping function, such as `max_norm`.
        """
        norm = self.clip(parameters, **options)
        if norm is not None:
            deferred_scalars(self.hub).update({self.name: norm})


def defer_clipping(optim_wrapper: Any, hub: MessageHub) -> None:
    """Replace the clipping function of one or several optimizer wrappers by `DeferredClipping`.

    Args:
        optim_wrapper: `OptimWrapper` or `OptimWrapperDict`.
        hub: Message hub of the runner.
    """
    parts = optim_wrapper.values() if hasattr(optim_wrapper, 'optim_wrappers') else [optim_wrapper]
    for part in parts:
        clips = getattr(part, 'clip_grad_kwargs', None)
        if clips and not isinstance(part.clip_func, DeferredClipping):
            part.clip_func = DeferredClipping(part.clip_func, f'train/{part.grad_name}', hub)
