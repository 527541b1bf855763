"""Recognizes errors that report a lack of memory. Imports nothing heavy."""

from __future__ import annotations

import re

_OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|allocate memory|bad_alloc|STATUS_ALLOC_FAILED",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error reports that memory ran out, in Python, PyTorch, CUDA or ONNX Runtime.

    Example:
        >>> is_out_of_memory(RuntimeError('CUDA out of memory. Tried to allocate 2 GiB'))
        True
        >>> is_out_of_memory(RuntimeError('shapes differ'))
        False
    """
    return isinstance(error, MemoryError) or bool(_OUT_OF_MEMORY.search(str(error)))
