"""Work that may run out of memory, and what must happen before it is tried again."""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch

from attentive_gan.utils.memory_errors import is_out_of_memory


def lack_of_memory(work: Callable[[], None], device: torch.device) -> str:
    """Do work that may run out of memory.

    Args:
        work: The work.
        device: Where it runs.

    Returns:
        An empty text after success. Else how the lack was worded: all values of the failed work are freed
        then, and a GPU's memory that torch kept is free for blocks of any size.
    """
    try:
        work()
        return ''
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        reason = f'{type(error).__name__}: {error}'
    # Only here: inside the block, the error's traceback keeps every value of the failed work.
    gc.collect()
    if device.type == 'cuda' and torch.cuda.is_available():
        torch.cuda.empty_cache()
    return reason
