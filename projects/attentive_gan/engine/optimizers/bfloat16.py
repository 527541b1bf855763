"""Training in bfloat16 without a loss scale, on GPUs and CPUs that support it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmagic.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from torch import nn

#: Linux's names of the CPU features for matrix products in bfloat16.
CPU_FEATURES = ('avx512_bf16', 'amx_bf16')

#: Lowest compute capability of GPUs that support bfloat16; older ones emulate it.
CUDA_CAPABILITY = 8


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """MMEngine's `OptimWrapper` whose forward passes run under bfloat16 autocast.

    Weights, gradients and optimizer states stay in float32. The range of bfloat16 is that of float32,
    so there is no loss scale; MMEngine's `AmpOptimWrapper` always makes a scaler and needs a GPU.
    Arguments are those of `OptimWrapper`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the block under autocast for the model's device, and as `OptimWrapper` does.

        Args:
            model: The network that is trained in the block.
        """
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield


def why_no_bfloat16(features: Path = Path('/proc/cpuinfo')) -> str | None:
    """Return why bfloat16 would not speed up training on this machine, or None if it would.

    Args:
        features: File with the features of the CPU on Linux.
    """
    if torch.cuda.is_available():
        if torch.cuda.get_device_capability()[0] >= CUDA_CAPABILITY:
            return None
        name = torch.cuda.get_device_name()
        return f'{name} does not compute in bfloat16 (GPUs since Ampere do); use --amp float16'
    text = features.read_text('utf-8', 'replace') if features.is_file() else ''
    if set(text.split()) & set(CPU_FEATURES):
        return None
    return (
        'there is no CUDA device, and this CPU does not compute in bfloat16 (it has none of '
        f'{", ".join(CPU_FEATURES)}); omit --amp'
    )
