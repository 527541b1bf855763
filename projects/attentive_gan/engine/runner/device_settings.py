"""Device settings of a training: TF32, deterministic algorithms, memory format."""

from __future__ import annotations

import os
import warnings
from typing import Any

import torch
from mmengine.optim import OptimWrapperDict
from torch import nn

from attentive_gan.errors import UserError

#: Values of the config field `memory_format`.
MEMORY_FORMATS = {
    'channels_last': torch.channels_last,
    'contiguous': torch.contiguous_format,
}


def use_tf32(on: bool) -> None:
    """Enable or disable TF32 for float32 matrix products and convolutions on CUDA.

    Args:
        on: Whether operands may be rounded to 10 bits of mantissa.
    """
    with warnings.catch_warnings():
        # torch 2.9 recommends new names, but torch.compile reads the old ones, which cannot be mixed.
        warnings.simplefilter('ignore')
        torch.backends.cuda.matmul.allow_tf32 = on
        torch.backends.cudnn.allow_tf32 = on


def allow_deterministic_products() -> None:
    """Set the cuBLAS workspace that torch's deterministic algorithms require.

    Must be called before the first matrix product on a GPU.
    """
    os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')


def to_memory_format(model: nn.Module, name: str | None) -> nn.Module:
    """Convert the 4-D weights of a model to a memory format, in place.

    Args:
        model: Model on its device, without a distributed wrapper.
        name: Config field `memory_format`: `channels_last` or `contiguous`; None for `channels_last` on
            CUDA and no change elsewhere.

    Raises:
        UserError: The format is unknown.
    """
    if name is not None and name not in MEMORY_FORMATS:
        raise UserError(
            f'config field memory_format must be one of {", ".join(MEMORY_FORMATS)}, not {name!r}'
        )
    if name is None:
        if not any(parameter.is_cuda for parameter in model.parameters()):
            return model
        name = 'channels_last'
    # nn.Module.to refuses weights of five dimensions.
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.dim() == 4:
            tensor.data = tensor.data.contiguous(memory_format=MEMORY_FORMATS[name])
    return model


def match_layouts(optim_wrapper: Any) -> None:
    """Convert the states of optimizers to the strides of their weights.

    Checkpoints hold contiguous tensors; fused optimizers reject states whose strides differ.

    Args:
        optim_wrapper: `OptimWrapper` or `OptimWrapperDict` whose states were loaded.
    """
    parts = (
        optim_wrapper.values() if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]
    )
    for part in parts:
        for weight, states in part.optimizer.state.items():
            for name, value in states.items():
                same_shape = isinstance(value, torch.Tensor) and value.shape == weight.shape
                if same_shape and value.stride() != weight.stride():
                    laid_out = torch.empty_like(weight, dtype=value.dtype, device=value.device)
                    states[name] = laid_out.detach().copy_(value)
