"""Wall-clock timing of work on a CPU or a GPU, and the rate of a matrix product to compare with."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

#: Runs before the first timed one: CUDA selects convolutions and loads kernels in the first.
WARM_UPS = {'cuda': 3}

#: Side of the matrices of `matrix_rate`: large enough for launch overhead not to count.
MATRIX_SIDES = {'cuda': 8192}


class Timing(NamedTuple):
    """Times of repeated runs, in seconds."""

    median: float
    fastest: float
    slowest: float


def time_interleaved(
    works: Mapping[str, Callable[[], Any]], repeat: int, device: torch.device
) -> dict[str, Timing]:
    """Time several functions in turn, so that other load on the machine affects all of them alike.

    Args:
        works: Functions by name; each is first run to warm up, three times on CUDA, else once.
        repeat: Timed runs of each, at least 1.
        device: Where they run. CUDA is timed by events in its stream, synchronized once at the end.

    Example:
        >>> times = time_interleaved({'sum': lambda: sum(range(10))}, 3, torch.device('cpu'))
        >>> times['sum'].fastest <= times['sum'].median <= times['sum'].slowest
        True
    """
    for work in works.values():
        for _ in range(WARM_UPS.get(device.type, 1)):
            work()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    moments: dict[str, list[tuple[Any, Any]]] = {name: [] for name in works}
    for _ in range(repeat):
        for name, work in works.items():
            start = _now(device)
            work()
            moments[name].append((start, _now(device)))
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    timings = {}
    for name, pairs in moments.items():
        seconds = [_seconds_between(*pair) for pair in pairs]
        timings[name] = Timing(statistics.median(seconds), min(seconds), max(seconds))
    return timings


def matrix_rate(device: torch.device, dtype: torch.dtype, side: int | None = None) -> float:
    """Return the multiply-accumulates per second of a square matrix product, the best of ten runs.

    On CUDA, `torch.backends.cuda.matmul` decides whether float32 is rounded to TF32.

    Args:
        device: Where to multiply.
        dtype: Type of the matrices.
        side: Rows and columns; default 8192 on CUDA, else 2048.
    """
    side = side or MATRIX_SIDES.get(device.type, 2048)
    left, right = (torch.rand(side, side, device=device, dtype=dtype) for _ in range(2))
    timing = time_interleaved({'mm': lambda: torch.mm(left, right)}, 10, device)
    return side**3 / timing['mm'].fastest


def _now(device: torch.device) -> Any:
    """Return the time, or on CUDA an event that the stream reaches after the work so far."""
    if device.type != 'cuda':
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record(torch.cuda.current_stream(device))
    return event


def _seconds_between(start: Any, end: Any) -> float:
    on_gpu = isinstance(start, torch.cuda.Event)
    seconds: float = start.elapsed_time(end) / 1e3 if on_gpu else end - start
    return seconds
