"""How much memory a network takes for an image, and how to stay below a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psutil
import torch

from attentive_gan.errors import UserError

from .cuda_memory import free_memory, total_memory
from .malloc_tuning import give_freed_memory_back
from .row_stream import steps
from .streaming_graph import StreamingGraph

#: Fewest and most rows of the image that are computed at a time.
ROWS_PER_STEP = (32, 256)

#: Most bytes of a layer's rows in work on a CPU. The C library maps memory anew, page by page, for every
#: array of more than 32 MiB (M_MMAP_THRESHOLD), which takes longer than filling it.
STEP_BYTES = 24 * 2**20

#: What the estimates leave out: the rows in work and the copies that convolutions make.
SURCHARGE = 2.0

#: Part of what is left of a budget that plans fill: allocators keep more than requested, and libraries
#: grow at first use. Without it the Attentive GAN took 2125 of 2048 MiB for a photo of 48 megapixels.
PLANNED_SHARE = 0.7

#: Memory for the network that is the least to begin with, in bytes.
LEAST_WORKING_MEMORY = 64 * 2**20

#: Default budget of a process on a CPU, in bytes.
DEFAULT_BUDGET = 2 * 2**30

#: What the default budget adds at least to what the process takes already, in bytes: inside a large program
#: the program's own memory must not keep images from being restored.
DEFAULT_ADDITION = 2**30

#: Part of a GPU's free memory that is used by default.
GPU_SHARE = 0.8


@dataclass(frozen=True)
class ColumnPlan:
    """How an image is cut into strips of columns, each computed row by row."""

    width: int
    """Columns of a strip's result, a multiple of the network's size multiple."""
    rows_per_step: int
    """Rows that are computed at a time."""


def default_budget(device: torch.device) -> int:
    """Return the budget in bytes where none was chosen.

    Returns:
        For the process on a CPU: 2 GiB, or 1 GiB beyond what it takes now if that is more. For the
        network on a GPU: all of its memory, of which `working_memory` takes what is free.
    """
    if device.type == 'cuda':
        return total_memory(device)
    return max(DEFAULT_BUDGET, psutil.Process().memory_info().rss + DEFAULT_ADDITION)


def working_memory(
    device: torch.device,
    budget: int,
    stored: int,
    wanted: int,
    release: Callable[[], None] = lambda: None,
) -> int:
    """Return the bytes that a network may plan to take now.

    Args:
        device: Where it works.
        budget: Bytes that the process may take (CPU, resident) or the network (GPU).
        stored: Bytes of main memory that the results will fill.
        wanted: Bytes that would suffice; if they seem to lack, memory that is kept for later is freed.
        release: Frees memory that the network's own runtime keeps for later.

    Raises:
        UserError: On a CPU, the process already takes about as much as it may.
    """
    if device.type == 'cuda':
        planned = min(int(free_memory(device) * GPU_SHARE), budget)
        if planned < min(wanted, budget):
            release()
            planned = min(int(free_memory(device) * GPU_SHARE), budget)
        return planned
    process = psutil.Process()
    taken = process.memory_info().rss + stored
    if int((budget - taken) * PLANNED_SHARE) < wanted:
        release()
        give_freed_memory_back()
        taken = process.memory_info().rss + stored
    if budget - taken < LEAST_WORKING_MEMORY:
        raise UserError(
            f'the program and the image take {taken / 2**30:.1f} GiB already and may take '
            f'{budget / 2**30:.1f} GiB; raise --memory to at least '
            f'{(taken + LEAST_WORKING_MEMORY) / 2**30 + 0.1:.1f}'
        )
    return int((budget - taken) * PLANNED_SHARE)


def row_bytes(graph: StreamingGraph, height: int, width: int, rows_per_step: int) -> int:
    """Return the estimate for the network run row by row on a strip of `width` columns."""
    most = 0.0
    for step in steps(graph, height, rows_per_step):
        kept = new = 0.0
        for rows, computed, layer in zip(step.kept, step.computed, graph.layers, strict=True):
            row = layer.channels * layer.itemsize * float(layer.scale)
            kept += (rows.last - rows.first) * row
            # Rows in work live while their readers are computed: two layers' worth at a time.
            new = max(new, 3 * (computed.last - computed.first) * row)
        most = max(most, kept + new)
    return int(most * width * SURCHARGE)


def rows_per_step(graph: StreamingGraph, width: int, device: str) -> int:
    """Return how many rows of an image are best computed at a time, where memory suffices.

    On a CPU this also decides whether an image is computed row by row at all: larger layers are slower at
    once than in parts.

    Args:
        graph: The network.
        width: Columns of the padded image.
        device: Kind of device, 'cpu' or 'cuda'.
    """
    least, most = ROWS_PER_STEP
    if device == 'cpu':
        row = width * max(la.channels * la.itemsize * float(la.scale) ** 2 for la in graph.layers)
        most = int(STEP_BYTES / row)
    return max(most, least) // graph.size_multiple * graph.size_multiple or graph.size_multiple


def plan_columns(
    graph: StreamingGraph, height: int, width: int, budget: int, device: str
) -> ColumnPlan:
    """Choose strips and steps for an image.

    Args:
        graph: The network.
        height: Rows of the padded image.
        width: Columns of the padded image.
        budget: Bytes that the network may take.
        device: Kind of device, 'cpu' or 'cuda'.

    Returns:
        The widest strips that fit; the narrowest that exist, if none fits.
    """
    multiple = graph.size_multiple
    reach = graph.reach(1)
    halo = sum(-(-r // multiple) * multiple for r in reach)
    # A part of the image that fills and empties all layers stands for its whole height.
    sample = min(height, 4 * (sum(graph.reach(0)) // multiple + 1) * multiple)
    least, most = ROWS_PER_STEP
    wanted = min(rows_per_step(graph, width, device), most)
    while True:
        rows = max(max(wanted, least) // multiple, 1) * multiple
        per_column = row_bytes(graph, sample, 1024, rows) / 1024
        if width * per_column <= budget:
            return ColumnPlan(width, rows)
        if wanted <= least:
            break
        wanted //= 2
    fitting = int(budget / per_column) - halo
    return ColumnPlan(max(fitting // multiple * multiple, multiple), rows)


def narrower(plan: ColumnPlan, multiple: int) -> ColumnPlan | None:
    """Return the plan to try after memory ran out, with half the columns; None if there is none."""
    if plan.width <= multiple:
        return None
    return ColumnPlan(max(plan.width // 2 // multiple * multiple, multiple), plan.rows_per_step)
