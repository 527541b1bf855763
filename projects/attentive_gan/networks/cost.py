"""What a network costs: multiply-accumulates, memory of activations, time."""

from __future__ import annotations

import statistics
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class Timing(NamedTuple):
    """Times of repeated runs, in seconds."""

    median: float
    fastest: float
    slowest: float


class LiveMemory(TorchDispatchMode):
    """Counts the bytes of tensor memory that was made inside and is still held, and their peak.

    Works on every device; meant for passes without autograd, which alone keeps tensors that Python
    does not see. The operators' own workspaces are not counted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = 0
        self.peak = 0
        self._holders: Counter[int] = Counter()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operator and take note of new memory."""
        result = func(*args, **(kwargs or {}))
        given = {x.untyped_storage().data_ptr() for x in _tensors((args, kwargs or {}))}
        for tensor in _tensors(result):
            pointer = tensor.untyped_storage().data_ptr()
            if pointer in self._holders or pointer not in given:
                self._hold(tensor, pointer)
        return result

    def _hold(self, tensor: Tensor, pointer: int) -> None:
        size = tensor.untyped_storage().nbytes()
        if not self._holders[pointer]:
            self.live += size
            self.peak = max(self.peak, self.live)
        self._holders[pointer] += 1
        weakref.finalize(tensor, self._release, pointer, size)

    def _release(self, pointer: int, size: int) -> None:
        self._holders[pointer] -= 1
        if not self._holders[pointer]:
            del self._holders[pointer]
            self.live -= size


def count_macs(network: nn.Module, height: int, width: int, batch: int = 1) -> int:
    """Multiply-accumulates of convolutions and linear layers in a pass, without doing the work.

    Counted by `torch.utils.flop_counter` (two operations per multiply-accumulate) on tensors
    without memory. Work that the network skips is not counted; rows that strips compute twice neither.

    Args:
        network: A network that takes pictures (N, 3, H, W).
        height: H.
        width: W.
        batch: N.
    """
    from torch.utils.flop_counter import FlopCounterMode

    ghost = deepcopy(network).to('meta')
    picture = torch.empty(batch, 3, height, width, device='meta')
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        ghost(picture)
    return counter.get_total_flops() // 2


def peak_activations(work: Callable[[], Any], device: torch.device) -> int:
    """Most bytes of memory that `work` held at one time, beyond what was held before.

    Args:
        work: A pass. On a CPU it must run without autograd.
        device: Where it runs. On CUDA the allocator is asked, so workspaces count; elsewhere
            `LiveMemory`.
    """
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    with LiveMemory() as memory:
        work()
    return memory.peak


def time_interleaved(
    works: Mapping[str, Callable[[], Any]], repeat: int, device: torch.device
) -> dict[str, Timing]:
    """Time several works in turn, so that a busy moment of the machine hits all of them.

    Args:
        works: What to time, by name; each is run once before, to warm up.
        repeat: Timed runs of each.
        device: Where they run; CUDA is synchronised around each.
    """
    for work in works.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeat):
        for name, work in works.items():
            _synchronise(device)
            start = time.perf_counter()
            work()
            _synchronise(device)
            seconds[name].append(time.perf_counter() - start)
    return {name: Timing(statistics.median(s), min(s), max(s)) for name, s in seconds.items()}


def matrix_rate(device: torch.device, dtype: torch.dtype, side: int = 2048) -> float:
    """Multiply-accumulates per second of a product of two square matrices, the best of ten runs.

    Args:
        device: Where to multiply.
        dtype: Type of the matrices.
        side: Rows and columns.
    """
    left, right = (torch.rand(side, side, device=device, dtype=dtype) for _ in range(2))
    timing = time_interleaved({'mm': lambda: torch.mm(left, right)}, 10, device)
    return side**3 / timing['mm'].fastest


def _synchronise(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def _tensors(values: Any) -> list[Tensor]:
    return [x for x in tree_flatten(values)[0] if isinstance(x, Tensor)]
