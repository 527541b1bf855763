"""A network on an image of any size, within a memory budget.

The network is recorded as a graph of layers (`streaming_graph`), which gives its receptive field, and run
at once, row by row (`row_stream`), or in tiles (`tiling`).
"""

from __future__ import annotations

from .aten_lowering import NotLocalError
from .executors import Progress
from .image_restorer import ImageRestorer, Restored, Restoring
from .malloc_tuning import give_freed_memory_back, keep_freed_memory
from .precision import PRECISIONS, Precision
from .streaming_graph import Recording, StreamingGraph, record

__all__ = [
    'PRECISIONS',
    'ImageRestorer',
    'NotLocalError',
    'Precision',
    'Progress',
    'Recording',
    'Restored',
    'Restoring',
    'StreamingGraph',
    'give_freed_memory_back',
    'keep_freed_memory',
    'record',
]
