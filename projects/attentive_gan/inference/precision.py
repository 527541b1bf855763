"""The type of numbers in which a network restores: what a device is good at, and how it is switched on.

The weights stay in float32. For 16 bits, autocast casts what convolutions and matrix products read. The sum
of the input, which is float32, and a change in 16 bits is float32. So a network that predicts the change
leaves an image as it was where it changes nothing. A recorded network has the casts in it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from attentive_gan.errors import UserError

#: `auto` is 16 bits where the device has units for them and the image has 8, else float32.
Precision = Literal['auto', 'float32', 'bfloat16', 'float16']

PRECISIONS: tuple[Precision, ...] = ('auto', 'float32', 'bfloat16', 'float16')

#: Flags of CPUs with units for bfloat16, as Linux names them.
_BFLOAT16_FLAGS = frozenset(['avx512_bf16', 'amx_bf16'])

#: Least compute capability of GPUs with units for a type.
_CAPABILITIES = {torch.bfloat16: 8, torch.float16: 7}


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the type in which a network restores images of 8 bits on a device.

    Args:
        name: One of `PRECISIONS`.
        device: Where the network works.

    Raises:
        UserError: There is no such type, or the device has no units for it.
    """
    if name not in PRECISIONS:
        raise UserError(f'--precision {name}: choose {", ".join(PRECISIONS)}')
    if name == 'auto':
        good = [dtype for dtype in _CAPABILITIES if not _obstacle(dtype, device)]
        return good[0] if good else torch.float32
    dtype: torch.dtype = getattr(torch, name)
    obstacle = '' if dtype == torch.float32 else _obstacle(dtype, device)
    if obstacle:
        raise UserError(f'--precision {name}: {obstacle}; choose auto or float32')
    return dtype


def in_precision(
    function: Callable[..., Any], dtype: torch.dtype, device: torch.device
) -> Callable[..., Any]:
    """Return a function that runs in a type.

    Args:
        function: From tensors to tensors, with weights in float32.
        dtype: Type of `choose_precision`.
        device: Where it runs.
    """
    if device.type not in ('cpu', 'cuda'):
        return function

    chosen: dict[str, Any] = {'enabled': False} if dtype == torch.float32 else {'dtype': dtype}

    def run(*maps: Tensor) -> Any:
        with torch.autocast(device.type, **chosen):
            return function(*maps)

    return run


def strict_float32(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[None]:
    """Return a context in which a GPU does not round float32 to TF32, if float32 is the chosen type."""
    whole = dtype == torch.float32 and device.type == 'cuda'
    return use_tf32(False) if whole else nullcontext()


@contextmanager
def use_tf32(enabled: bool) -> Iterator[None]:
    """Round float32 operands of matrix products and of convolutions on CUDA to TF32, or neither.

    PyTorch's default differs between the two: products in float32, convolutions in TF32.

    Args:
        enabled: Whether to round. The old setting comes back at the end.
    """
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    _set_tf32(enabled, enabled)
    try:
        yield
    finally:
        _set_tf32(*before)


def _set_tf32(products: bool, convolutions: bool) -> None:
    with warnings.catch_warnings():
        # torch 2.9 advises new names, but torch.compile still reads the old ones, which do not mix.
        warnings.simplefilter('ignore')
        torch.backends.cuda.matmul.allow_tf32 = products
        torch.backends.cudnn.allow_tf32 = convolutions


def _obstacle(dtype: torch.dtype, device: torch.device) -> str:
    """Return why a device is not good at a type of 16 bits; empty where it is."""
    if device.type == 'cuda':
        major, minor = torch.cuda.get_device_capability(device)
        if major >= _CAPABILITIES[dtype]:
            return ''
        return (
            f'{device} has compute capability {major}.{minor}, and units for it come with '
            f'{_CAPABILITIES[dtype]}.0'
        )
    if device.type != 'cpu' or dtype != torch.bfloat16:
        return f'it is for GPUs of NVIDIA, and the network works on {device}'
    if not cpu_has_bfloat16_units():
        return 'this CPU has no units for it (flags avx512_bf16 or amx_bf16), and would be slower'
    return ''


def cpu_has_bfloat16_units() -> bool:
    """Return whether this CPU multiplies in bfloat16, and torch makes use of it."""
    if not torch.backends.mkldnn.is_available():
        return False
    checks = [
        getattr(torch.cpu, name, None)
        for name in ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
    ]
    if all(checks):
        return any(check() for check in checks if check)
    return not _BFLOAT16_FLAGS.isdisjoint(_cpu_flags())


def _cpu_flags() -> set[str]:
    """Return the CPU's flags, for torch without these checks; empty outside Linux."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return set()
    flags = [line for line in lines if line.startswith('flags')]
    return set(flags[0].partition(':')[2].split()) if flags else set()
