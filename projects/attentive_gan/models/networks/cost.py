"""What a network costs: multiply-accumulates, memory of activations, time."""

from __future__ import annotations

import statistics
import time
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
        network: A network that takes images (N, 3, H, W).
        height: H.
        width: W.
        batch: N.
    """
    from torch.utils.flop_counter import FlopCounterMode

    ghost = deepcopy(network).to('meta')
    image = torch.empty(batch, 3, height, width, device='meta')
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        ghost(image)
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


#: Runs before the first timed one: on CUDA, convolutions are chosen and kernels loaded in the first.
WARM_UPS = {'cuda': 3}


def time_interleaved(
    works: Mapping[str, Callable[[], Any]], repeat: int, device: torch.device
) -> dict[str, Timing]:
    """Time several works in turn, so that a busy moment of the machine hits all of them.

    Args:
        works: What to time, by name; each is run before to warm up, three times on CUDA, else once.
        repeat: Timed runs of each, at least 1.
        device: Where they run. CUDA is timed by events in its stream and waited for once, at the end.
    """
    for work in works.values():
        for _ in range(WARM_UPS.get(device.type, 1)):
            work()
    clock = _EventClock(device) if device.type == 'cuda' else _HostClock()
    for _ in range(repeat):
        for name, work in works.items():
            clock.time(name, work)
    return {
        name: Timing(statistics.median(s), min(s), max(s)) for name, s in clock.seconds().items()
    }


#: Side of the matrices of `matrix_rate`: large enough that launching does not count.
MATRIX_SIDES = {'cuda': 8192}


def matrix_rate(device: torch.device, dtype: torch.dtype, side: int | None = None) -> float:
    """Multiply-accumulates per second of a product of two square matrices, the best of ten runs.

    On CUDA, whether float32 is rounded to TF32 is as `torch.backends.cuda.matmul` says; see `use_tf32`.

    Args:
        device: Where to multiply.
        dtype: Type of the matrices.
        side: Rows and columns; default 8192 on CUDA, else 2048.
    """
    side = side or MATRIX_SIDES.get(device.type, 2048)
    left, right = (torch.rand(side, side, device=device, dtype=dtype) for _ in range(2))
    timing = time_interleaved({'mm': lambda: torch.mm(left, right)}, 10, device)
    return side**3 / timing['mm'].fastest


def copy_rate(device: torch.device, size: int) -> float:
    """Bytes per second that a copy within the device's memory reads and writes, the best of ten runs.

    Args:
        device: Where to copy.
        size: Bytes of the tensor to copy, several times the last-level cache.
    """
    source = torch.randint(0, 256, (size,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    timing = time_interleaved({'copy': lambda: target.copy_(source)}, 10, device)
    return 2 * size / timing['copy'].fastest


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


class _HostClock:
    """Times work that has ended when its call returns."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    def time(self, name: str, work: Callable[[], Any]) -> None:
        start = time.perf_counter()
        work()
        self._seconds.setdefault(name, []).append(time.perf_counter() - start)

    def seconds(self) -> dict[str, list[float]]:
        return self._seconds


class _EventClock:
    """Times work on CUDA between events of the current stream."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._events: dict[str, list[tuple[torch.cuda.Event, torch.cuda.Event]]] = {}
        torch.cuda.synchronize(device)

    def time(self, name: str, work: Callable[[], Any]) -> None:
        stream = torch.cuda.current_stream(self._device)
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record(stream)
        work()
        end.record(stream)
        self._events.setdefault(name, []).append((start, end))

    def seconds(self) -> dict[str, list[float]]:
        torch.cuda.synchronize(self._device)
        return {
            name: [start.elapsed_time(end) / 1e3 for start, end in pairs]
            for name, pairs in self._events.items()
        }


def _tensors(values: Any) -> list[Tensor]:
    return [x for x in tree_flatten(values)[0] if isinstance(x, Tensor)]
