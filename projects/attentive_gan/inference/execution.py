"""Runs a network on images: at once, row by row or in tiles, as memory allows; smaller after a lack."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import TypeVar

import torch

from attentive_gan.errors import UserError
from attentive_gan.utils.memory_errors import is_out_of_memory

from .backend import Backend, Task
from .executors import Function, Job, run_streamed, run_tiled, run_whole
from .malloc_tuning import malloc_defaults
from .memory import (
    PLANNED_SHARE,
    ROWS_PER_STEP,
    SURCHARGE,
    ColumnPlan,
    narrower,
    plan_columns,
    rows_per_step,
    working_memory,
)
from .precision import strict_float32
from .streaming_graph import Recording, StreamingGraph
from .streaming_ops import Reach
from .tiling import tile_side

#: Side of a tile where only a halo was chosen.
DEFAULT_TILE = 512

#: Tiles of networks whose strides are unknown begin at multiples of this; no smaller ones are planned.
_ALIGNMENT = 64

#: What networks of other projects take for each byte of their values, measured on a CPU for tiles of
#: 512x512 in bfloat16: 1.5 (SCUNet) to 2.6 (MixDehazeNet) times, FFTformer 1.9, and 3.0 where 100 MiB of
#: libraries count (a small NAFNet).
_FOREIGN_SURCHARGE = 2.6

#: Halo of networks with a global receptive field, where only a tile was chosen, in pixels.
DEFAULT_HALO = 64

Plan = TypeVar('Plan')


@dataclass(frozen=True)
class Limits:
    """What the user chose for the dividing of images."""

    memory: int
    """Budget in bytes; see `ImageRestorer`."""
    tile: int | None = None
    """Largest width of a part, in pixels."""
    halo: int | None = None
    """Pixels of the image around a tile."""


class Execution:
    """Runs jobs by one network.

    Args:
        backend: The network and what runs it.
        notify: Called with messages for the user.
    """

    def __init__(self, backend: Backend, notify: Callable[[str], None]) -> None:
        self.backend, self.device = backend, backend.device
        self._notify = notify
        self._noted: set[str] = set()
        self._widest: int | None = None  # columns at a time, after memory ran out

    def reach(self, dtype: torch.dtype) -> tuple[int, int] | None:
        """Return the radius of the receptive field before and after a pixel; None if global."""
        recording = self.backend.recording('restore', dtype)
        if recording.graph is None:
            return recording.reach
        rows, columns = recording.graph.reach(0), recording.graph.reach(1)
        return max(rows.before, columns.before), max(rows.after, columns.after)

    def run(self, task: Task, job: Job, dtype: torch.dtype, limits: Limits) -> None:
        """Restore an image.

        Args:
            task: What to compute.
            job: The image.
            dtype: Type in which the network computes.
            limits: What the user chose.

        Raises:
            UserError: Memory does not suffice, or a result is not finite.
            MemoryError: Memory ran out even for the smallest parts.
        """
        with strict_float32(dtype, self.device):
            self._run(task, job, dtype, limits)

    def run_together(
        self, task: Task, jobs: Sequence[Job], dtype: torch.dtype, limits: Limits
    ) -> None:
        """Restore images of one size, at once if they fit and no parts were chosen; else like `run`."""
        recording = self.backend.recording(task, dtype)
        plain = limits.tile is None and limits.halo is None and recording.reach is None
        if plain and self._widest is None and len(jobs) > 1:
            wanted = sum(self._needed(recording, job) for job in jobs)
            if wanted <= self._working_memory(limits, jobs, wanted):
                function = self.backend.function(task, dtype)
                with strict_float32(dtype, self.device):
                    if not self._lack(partial(run_whole, jobs, function)):
                        return
                for job in jobs:
                    job.results.discard()
        for job in jobs:
            self.run(task, job, dtype, limits)

    def _run(self, task: Task, job: Job, dtype: torch.dtype, limits: Limits) -> None:
        recording = self.backend.recording(task, dtype)
        function = self.backend.function(task, dtype)
        needed = self._needed(recording, job)
        budget = self._working_memory(limits, [job], needed)
        if limits.halo is not None or (limits.tile is not None and recording.is_global):
            self._run_inexact(job, function, limits, dtype)
        elif recording.graph is not None:
            self._run_graph(job, function, recording.graph, limits, needed, budget)
        elif recording.reach is not None:
            side = self._exact_side(recording.bytes_per_pixel, recording.reach, job, budget)
            self._run_in_tiles(job, function, recording.reach, side, limits)
        elif self.backend.inexact_tiles and self._inexact_side(recording, job, budget):
            side = self._inexact_side(recording, job, budget)
            self._run_inexact(job, function, replace(limits, tile=side), dtype)
        else:
            self._check_fits(recording, job, needed, budget)
            run_whole([job], function)

    def _run_inexact(
        self, job: Job, function: Function, limits: Limits, dtype: torch.dtype
    ) -> None:
        """Run a network in tiles that may be less than it needs."""
        halo = DEFAULT_HALO if limits.halo is None else limits.halo
        self._note_error(halo, dtype)
        side = DEFAULT_TILE if limits.tile is None else limits.tile
        self._run_in_tiles(job, function, (halo, halo), side, limits)

    def _run_graph(
        self,
        job: Job,
        function: Function,
        graph: StreamingGraph,
        limits: Limits,
        needed: int,
        budget: int,
    ) -> None:
        """Run recorded layers at once if they fit, else in strips of columns, each row by row."""
        height, width = job.padded_size
        device = self.device.type
        if limits.tile is not None or needed > budget or self._widest is not None:
            plan = plan_columns(graph, height, width, budget, device)
            self._stream(job, graph, self._limited(plan, job, limits))
            return
        rows = rows_per_step(graph, width, device)
        if device == 'cpu' and rows < height:
            self._stream(job, graph, ColumnPlan(width, rows))
        else:
            self._run_at_once(job, function, graph)

    def _exact_side(self, bytes_per_pixel: float, reach: Reach, job: Job, budget: int) -> int:
        """Return the side of the largest exact tile; that of the image if it fits."""
        height, width = job.padded_size
        if bytes_per_pixel * height * width <= budget:
            return max(height, width)
        return tile_side(bytes_per_pixel, budget, reach, job.size_multiple)

    def _inexact_side(self, recording: Recording, job: Job, budget: int) -> int:
        """Return the side of the largest tile with the default halo; 0 where none is needed or fits."""
        height, width = job.padded_size
        taken = recording.bytes_per_pixel * _FOREIGN_SURCHARGE
        if taken * height * width <= budget and self._widest is None:
            return 0
        side = tile_side(taken, budget, (DEFAULT_HALO, DEFAULT_HALO), job.size_multiple)
        return side if side >= _ALIGNMENT else 0

    def _needed(self, recording: Recording, job: Job) -> int:
        height, width = job.padded_size
        surcharge = _FOREIGN_SURCHARGE if self.backend.inexact_tiles else SURCHARGE
        return int(recording.bytes_per_pixel * height * width * surcharge)

    def _working_memory(self, limits: Limits, jobs: Sequence[Job], wanted: int) -> int:
        # Results take their memory as they come in.
        stored = sum(output.nbytes for job in jobs for output in job.outputs)
        return working_memory(self.device, limits.memory, stored, wanted, self.backend.release)

    def _run_at_once(self, job: Job, function: Function, graph: StreamingGraph) -> None:
        if self._lack(partial(run_whole, [job], function)):
            job.results.discard()
            width = job.padded_size[1]
            plan = narrower(ColumnPlan(2 * width, ROWS_PER_STEP[0]), graph.size_multiple)
            assert plan is not None  # noqa: S101 -- twice a width can be halved
            self._note_columns(plan)
            self._stream(job, graph, plan)

    def _stream(self, job: Job, graph: StreamingGraph, plan: ColumnPlan) -> None:
        self._shrinking(
            job, plan, lambda smaller: run_streamed(job, graph, smaller),
            lambda last: narrower(last, graph.size_multiple), self._note_columns,
        )  # fmt: skip

    def _run_in_tiles(
        self, job: Job, function: Function, halo: tuple[int, int], side: int, limits: Limits
    ) -> None:
        """Run a network in tiles with a halo: exact where the halo is its receptive field."""
        chosen = [limit for limit in (limits.tile, self._widest) if limit is not None]
        alignment = _ALIGNMENT if self.backend.inexact_tiles else 1
        most = limits.memory * PLANNED_SHARE if self.device.type == 'cpu' else inf
        self._shrinking(
            job, min([side, *chosen]),
            lambda smaller: run_tiled(job, function, smaller, halo, alignment, most),
            lambda last: last // 2 if last > job.size_multiple else None, self._note_side,
        )  # fmt: skip

    def _shrinking(
        self,
        job: Job,
        plan: Plan,
        work: Callable[[Plan], None],
        smaller: Callable[[Plan], Plan | None],
        note: Callable[[Plan], None],
    ) -> None:
        """Work in parts; after memory ran out, in smaller ones, for this image and all later ones.

        Args:
            job: What the parts belong to.
            plan: The parts.
            work: Works by a plan.
            smaller: Returns the plan to try next; None if there is none.
            note: Stores a plan for later images and notifies.
        """
        current: Plan | None = plan
        while current is not None:
            with malloc_defaults():
                lack = self._lack(partial(work, current))
            if not lack:
                return
            job.results.discard()
            current = smaller(current)
            if current is not None:
                note(current)
        raise MemoryError(f'{self.backend.name}: memory ran out for the smallest part ({lack})')

    def _lack(self, work: Callable[[], None]) -> str:
        lack = lack_of_memory(work, self.device)
        if lack:
            self.backend.release()
        return lack

    def _note_columns(self, plan: ColumnPlan) -> None:
        self._widest = plan.width
        self._notify(f'memory ran out; going on in parts of {plan.width} columns')

    def _note_side(self, side: int) -> None:
        self._widest = side
        self._notify(f'memory ran out; going on in tiles of {side} pixels')

    def _limited(self, plan: ColumnPlan, job: Job, limits: Limits) -> ColumnPlan:
        """Return the plan, no wider than `limits.tile` or than memory allowed before."""
        widths = [plan.width, self._widest or plan.width]
        if limits.tile is not None and limits.tile < job.inputs[0].shape[1]:
            widths.append(limits.tile)
        return ColumnPlan(min(widths), plan.rows_per_step)

    def _check_fits(self, recording: Recording, job: Job, needed: int, budget: int) -> None:
        """Raise an error if an image that cannot be divided does not fit."""
        if needed > budget:
            height, width = job.padded_size
            tiles = ''
            if self.backend.inexact_tiles:
                side = _ALIGNMENT + 2 * DEFAULT_HALO
                least = recording.bytes_per_pixel * _FOREIGN_SURCHARGE * side**2
                tiles = f' (in tiles about {least / 2**30:.1f} GiB)'
            raise UserError(
                f'{self.backend.name} takes an image as a whole ({recording.obstacle}): restoring '
                f'{width}x{height} pixels takes about {needed / 2**30:.1f} GiB{tiles}, and '
                f'{budget / 2**30:.1f} GiB are left; raise --memory, or choose --tile and --halo for '
                'a result that is not exact'
            )

    def _note_error(self, halo: int, dtype: torch.dtype) -> None:
        """Notify that tiles are smaller than the receptive field."""
        reach, name = self.reach(dtype), self.backend.name
        if reach is None:
            self.note(
                f'{name} takes an image as a whole: tiles with a halo of {halo} pixels give '
                'something else, and may show at their borders'
            )
        elif halo < max(reach):
            self.note(
                f'a halo of {halo} pixels is not exact: the receptive field of {name} reaches '
                f'{max(reach)} pixels'
            )

    def note(self, text: str) -> None:
        """Notify once per text."""
        if text not in self._noted:
            self._noted.add(text)
            self._notify(text)


def lack_of_memory(work: Callable[[], None], device: torch.device) -> str:
    """Call a function that may run out of memory.

    Args:
        work: The function.
        device: Where it runs.

    Returns:
        The error message; empty after success. After an error, all values of the call and the GPU memory
        that PyTorch kept are freed.
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
