"""A network on an image of any size, within a memory budget.

The network is recorded as a graph of layers (`local_graph`), from which its receptive field follows, and
run at once, row by row (`row_stream`), or in tiles (`tiling`).
"""

from __future__ import annotations

from .executors import Progress
from .freed_memory import give_freed_memory_back, keep_freed_memory
from .local_graph import LocalGraph, Recording, record
from .precision import PRECISIONS, Precision
from .recognition import NotLocalError
from .restorer import Restored, Restorer, Restoring

__all__ = [
    'PRECISIONS',
    'LocalGraph',
    'NotLocalError',
    'Precision',
    'Progress',
    'Recording',
    'Restored',
    'Restorer',
    'Restoring',
    'give_freed_memory_back',
    'keep_freed_memory',
    'record',
]
