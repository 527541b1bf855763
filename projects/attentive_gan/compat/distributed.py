"""Distributed training of several networks, on NCCL and, without a GPU, on gloo."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

import torch
from torch import nn


def choose_backend(configured: str | None = None) -> str:
    """Return the communication backend: the configured one with a GPU, else gloo.

    Args:
        configured: Value of `env_cfg.dist_cfg.backend`.
    """
    if not torch.cuda.is_available():
        return 'gloo'
    return configured or 'nccl'


def unwrapped_state_dict(model: nn.Module) -> OrderedDict[str, Any]:
    """Return the state dict of a model without the key parts that distributed wrappers add.

    MMSeparateDistributedDataParallel wraps each child, so that MMEngine 0.10.7 saves
    `generator.module.*`, which neither its own loader nor a single process can load.

    Args:
        model: A model, wrapped or not, with children wrapped or not.
    """
    from mmengine.model import is_model_wrapper  # takes a second to import

    if is_model_wrapper(model):
        model = cast(nn.Module, model.module)
    wrapped = [name for name, child in model.named_children() if is_model_wrapper(child)]
    state = model.state_dict()
    clean: OrderedDict[str, Any] = OrderedDict()
    for key, value in state.items():
        child, _, rest = key.partition('.module.')
        clean[f'{child}.{rest}' if child in wrapped and rest else key] = value
    return clean
