"""How fast a device restores and trains, and what share of its ceilings is reached."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import torch
from attentive_gan.inference.precision import use_tf32
from attentive_gan.models.networks.complexity import count_macs
from attentive_gan.utils.timing import Timing, matrix_rate, time_interleaved
from mmagic.registry import MODELS
from mmengine.registry import DefaultScope
from torch import nn

from .card_plan import Copy, Entry, Inference, MatrixProduct, Precision, TrainingStep, full_plan
from .time_limit import TimeIsUp, time_limit
from .training_speed import count_flops, training_step

#: Seconds for which an entry is timed at most, after warming up; less where little time is left.
TIMED_SECONDS = 0.6

#: Timed runs of an entry.
FEWEST_RUNS, MOST_RUNS = 3, 50

#: Seconds that must be left to begin an entry on CUDA, a training step, and one that compiles.
NEEDED, NEEDED_TO_TRAIN, NEEDED_TO_COMPILE = 2.0, 5.0, 12.0

#: Seconds after which an entry that compiles is given up.
LONGEST_COMPILE = 25.0

_DTYPES = {
    'fp32': torch.float32, 'tf32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16,
}  # fmt: skip


def benchmark_device(
    device: torch.device,
    model: Mapping[str, Any],
    seconds: float,
    report: Callable[[dict[str, Any]], None],
    networks: Mapping[str, Mapping[str, Any]] | None = None,
    plan: Sequence[Entry] | None = None,
) -> list[dict[str, Any]]:
    """Measure a plan's entries in turn, as far as the time reaches.

    An entry that fails, for lack of memory or otherwise, says so and the rest goes on. CUDA is timed by
    events; convolutions are chosen by measuring (`torch.backends.cudnn.benchmark`). The registry must
    know the editor (`import attentive_gan`).

    Args:
        device: What to measure.
        model: Config of the editor to train, as `configs/_base_/models/attgan.py` has it.
        seconds: Time for everything. An entry that has begun is ended if it compiles, else not.
        report: Takes each result as soon as it is there.
        networks: Configs of the networks to restore with, by name; default the model's generator, as
            `attentive`.
        plan: What to measure; default `card_plan.full_plan`.

    Returns:
        All results, the first of `describe_device`. Of each entry its fields and `kind`; `status` `ok`,
        `out of memory`, `no time` or `failed`, with `reason`; `seconds` spent. Of those that are ok

        - a copy has `gb_per_second`, bytes read and written;
        - a matrix product has `tflops`;
        - passes and steps have `milliseconds` (median), `fastest_milliseconds`,
          `slowest_milliseconds`, `images_per_second`, `gflop` (of the convolutions and matrix
          products), `tflops`, `share_of_matrix_rate` (None where the product of that precision was not
          measured before) and, on CUDA, `peak_gib`, the most memory allocated, weights included.
    """
    names = networks or {'attentive': model['generator']}
    bench = _Bench(device, model, names, time.monotonic() + seconds)
    results = [describe_device(device)]
    report(results[0])
    for entry in full_plan(list(names)) if plan is None else plan:
        result = bench.result(entry)
        results.append(result)
        report(result)
    return results


def copy_rate(device: torch.device, size: int) -> float:
    """Return the bytes per second that a copy in the device's memory reads and writes, best of ten.

    Args:
        device: Where to copy.
        size: Bytes of the tensor to copy, several times the last-level cache.
    """
    source = torch.randint(0, 256, (size,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    timing = time_interleaved({'copy': lambda: target.copy_(source)}, 10, device)
    return 2 * size / timing['copy'].fastest


def describe_device(device: torch.device) -> dict[str, Any]:
    """Say what is measured: name, memory in GiB, versions; as a result of kind `device`."""
    figures: dict[str, Any] = {'kind': 'device', 'status': 'ok', 'torch': torch.__version__}
    if device.type != 'cuda':
        return figures | {'name': device.type, 'threads': torch.get_num_threads()}
    properties = torch.cuda.get_device_properties(device)
    return figures | {
        'name': properties.name,
        'memory_gib': properties.total_memory / 2**30,
        'multiprocessors': properties.multi_processor_count,
        'cuda': torch.version.cuda,
        'cudnn': torch.backends.cudnn.version(),
    }


class _Bench:
    """Measures entries on one device until a moment of the monotonic clock."""

    def __init__(
        self,
        device: torch.device,
        model: Mapping[str, Any],
        networks: Mapping[str, Mapping[str, Any]],
        end: float,
    ) -> None:
        self.device = device
        self.model = model
        self.networks = networks
        self.end = end
        self.rates: dict[Precision, float] = {}
        self.flops: dict[tuple[bool, int], int] = {}

    def result(self, entry: Entry) -> dict[str, Any]:
        """Measure an entry, or say why not."""
        kind = {
            Copy: 'copy', MatrixProduct: 'matrix product', Inference: 'inference',
            TrainingStep: 'training step',
        }[type(entry)]  # fmt: skip
        start = time.monotonic()
        figures = self._figures_or_reason(entry)
        self._free()
        return {
            'kind': kind, **asdict(entry), **figures, 'seconds': time.monotonic() - start,
        }  # fmt: skip

    def _figures_or_reason(self, entry: Entry) -> dict[str, Any]:
        compiled = getattr(entry, 'compiled', False)
        left = self.end - time.monotonic()
        if left < self._needed(entry):
            return {'status': 'no time', 'reason': f'{max(left, 0):.0f} s were left'}
        # Errors are looked at outside of their blocks: their tracebacks keep memory alive.
        try:
            with (
                use_tf32(getattr(entry, 'precision', None) == 'tf32'),
                _convolutions_measured(True),
                _compiling(compiled, min(left, LONGEST_COMPILE)),
            ):
                return {'status': 'ok', **self._figures(entry)}
        except torch.cuda.OutOfMemoryError as error:
            return {'status': 'out of memory', 'reason': _first_line(error)}
        except TimeIsUp:
            return {'status': 'no time', 'reason': 'compiling took too long'}
        except Exception as error:  # noqa: BLE001 -- one entry must not end the others
            return {'status': 'failed', 'reason': f'{type(error).__name__}: {_first_line(error)}'}

    def _needed(self, entry: Entry) -> float:
        if getattr(entry, 'compiled', False):
            return NEEDED_TO_COMPILE
        if self.device.type != 'cuda':
            return 0.1
        return NEEDED_TO_TRAIN if isinstance(entry, TrainingStep) else NEEDED

    def _free(self) -> None:
        gc.collect()
        if self.device.type == 'cuda':
            torch.cuda.empty_cache()

    def _figures(self, entry: Entry) -> dict[str, Any]:
        if isinstance(entry, Copy):
            return {'gb_per_second': copy_rate(self.device, entry.size) / 1e9}
        if isinstance(entry, MatrixProduct):
            rate = 2 * matrix_rate(self.device, _DTYPES[entry.precision], entry.side)
            self.rates[entry.precision] = rate
            return {'tflops': rate / 1e12}
        if isinstance(entry, Inference):
            return self._inference(entry)
        return self._training(entry)

    def _inference(self, entry: Inference) -> dict[str, Any]:
        with DefaultScope.overwrite_default_scope('mmagic'):
            network: nn.Module = MODELS.build(dict(self.networks[entry.network]))
        flops = 2 * count_macs(network, entry.height, entry.width, entry.batch)
        dtype = _DTYPES[entry.precision]
        network = network.to(self.device, dtype).to(memory_format=torch.channels_last).eval()
        if entry.compiled:
            network.compile(dynamic=False)
        shape = (entry.batch, 3, entry.height, entry.width)
        images = torch.rand(shape, device=self.device).to(dtype, memory_format=torch.channels_last)

        @torch.inference_mode()
        def work() -> None:
            network(images)

        return self._timed(work, flops, entry.batch, entry.precision)

    def _training(self, entry: TrainingStep) -> dict[str, Any]:
        flops = self._flops_of_a_crop(entry) * entry.batch
        work = training_step(self.model, entry, self.device)
        return self._timed(work, flops, entry.batch, entry.precision)

    def _flops_of_a_crop(self, entry: TrainingStep) -> int:
        """Count the operations of an iteration with one crop."""
        key = entry.joint, entry.crop
        if key not in self.flops:
            one = TrainingStep(*key, 1, entry.precision)
            work = training_step(self.model, one, self.device)
            with _convolutions_measured(False):
                self.flops[key] = count_flops(work)
        return self.flops[key]

    def _timed(
        self, work: Callable[[], Any], flops: int, images: int, precision: Precision
    ) -> dict[str, Any]:
        work()  # compiles, chooses convolutions, makes the optimizer's state
        on_cuda = self.device.type == 'cuda'
        if on_cuda:
            torch.cuda.reset_peak_memory_stats(self.device)
        timing = self._repeated(work)
        rate = self.rates.get(precision)
        return {
            'milliseconds': 1e3 * timing.median,
            'fastest_milliseconds': 1e3 * timing.fastest,
            'slowest_milliseconds': 1e3 * timing.slowest,
            'images_per_second': images / timing.median,
            'gflop': flops / 1e9,
            'tflops': flops / timing.median / 1e12,
            'share_of_matrix_rate': flops / timing.median / rate if rate else None,
            'peak_gib': torch.cuda.max_memory_allocated(self.device) / 2**30 if on_cuda else None,
        }

    def _repeated(self, work: Callable[[], Any]) -> Timing:
        """Time a work as often as fits into `TIMED_SECONDS`."""
        first = time_interleaved({'': work}, 1, self.device)[''].median
        left = self.end - time.monotonic()
        runs = int(min(TIMED_SECONDS, max(left, 0) / 20) / max(first, 1e-6))
        runs = min(max(runs, FEWEST_RUNS), MOST_RUNS)
        return time_interleaved({'': work}, runs, self.device)['']


@contextmanager
def _convolutions_measured(enabled: bool) -> Iterator[None]:
    """Choose CUDA's convolutions by measuring each at its first call, or by rules."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = enabled
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


@contextmanager
def _compiling(compiled: bool, seconds: float) -> Iterator[None]:
    """Limit the time of an entry that compiles, and forget what was compiled at the end."""
    if not compiled:
        yield
        return
    torch._dynamo.reset()
    try:
        with time_limit(seconds):
            yield
    finally:
        torch._dynamo.reset()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [''])[0][:300]
