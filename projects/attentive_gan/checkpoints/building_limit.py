"""A bound for the networks that a description may build."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.nn.modules import module as torch_module

#: Parts of a network (modules, parameters, buffers) for each tensor in its file, and in any case.
_PER_TENSOR, _ALWAYS = 16, 500

#: Values of its parameters for each value in the file, and in any case.
_PER_VALUE, _ALWAYS_VALUES = 4, 10**7


class TooManyPartsError(Exception):
    """A network has more parts than its weights can be for."""


@contextmanager
def limited_parts(tensors: int, values: int | None = None) -> Iterator[None]:
    """Stop the construction of a network inside the block once it is much larger than its weights.

    Counted are the modules, parameters and buffers that this thread registers; torch's registration hooks
    hold for all threads.

    Args:
        tensors: Number of tensors in the file of its weights.
        values: Number of values in them, to limit the memory of the network too; None sets no limit. Memory
            of a parameter is not in use yet when it is registered.

    Raises:
        TooManyPartsError: The network has more parts, from inside its constructor.
    """
    owner, most, count = threading.get_ident(), _ALWAYS + _PER_TENSOR * tensors, 0
    most_values = None if values is None else _ALWAYS_VALUES + _PER_VALUE * values
    taken = 0

    def register(*_: Any) -> None:
        nonlocal count
        if threading.get_ident() == owner:
            count += 1
            if count > most:
                raise TooManyPartsError(f'more than {most} parts for {tensors} tensors')

    def register_values(module: Any, name: str, parameter: Any) -> None:
        nonlocal taken
        register()
        if threading.get_ident() == owner and parameter is not None:
            taken += parameter.numel()
            if most_values is not None and taken > most_values:
                raise TooManyPartsError(f'more than {most_values} values for {values} in the file')

    handles = [
        torch_module.register_module_module_registration_hook(register),
        torch_module.register_module_parameter_registration_hook(register_values),
        torch_module.register_module_buffer_registration_hook(register),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
