"""Runs a network on images: at once, row by row or in tiles, as memory allows; smaller after a lack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch

from attentive_gan.errors import UserError

from .attempts import lack_of_memory
from .executors import Function, Job, run_streamed, run_tiled, run_whole
from .loading import LoadedNetwork
from .malloc_tuning import malloc_defaults
from .memory import (
    ROWS_PER_STEP,
    SURCHARGE,
    ColumnPlan,
    narrower,
    plan_columns,
    rows_per_step,
    working_memory,
)
from .onnx_network import OnnxNetwork
from .precision import in_precision, strict_float32
from .rematerialization import rematerialize
from .row_stream import run_graph
from .streaming_graph import Recording, StreamingGraph, record, share_weights_copy
from .tiling import tile_side
from .views import Task, input_channels, view

#: Side of a tile where only a halo was chosen.
DEFAULT_TILE = 512

#: Halo of networks that look at the image as a whole, where only a tile was chosen, in pixels.
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
    """Pixels seen around a tile."""


class Execution:
    """Runs jobs by one network.

    Args:
        loaded: The network.
        notify: Called with messages for the user.
    """

    def __init__(self, loaded: LoadedNetwork, notify: Callable[[str], None]) -> None:
        self.loaded, self.device = loaded, loaded.device
        self._notify = notify
        self._recordings: dict[tuple[Task, torch.dtype], Recording] = {}
        self._noted: set[str] = set()
        self._widest: int | None = None  # columns at a time, after memory ran out

    def recording(self, task: Task, dtype: torch.dtype) -> Recording:
        """Return what is known of the network for a task, computed in a type."""
        if (task, dtype) not in self._recordings:
            loaded = self.loaded
            if isinstance(loaded.network, OnnxNetwork):
                return loaded.network.recording()
            function = in_precision(
                view(share_weights_copy(loaded.network), task), dtype, self.device
            )
            recording = record(function, input_channels(task), loaded.size_multiple, loaded.like)
            if recording.graph is not None:
                recording = replace(recording, graph=rematerialize(recording.graph))
            self._recordings[task, dtype] = recording
        return self._recordings[task, dtype]

    def reach(self, dtype: torch.dtype) -> tuple[int, int] | None:
        """Return how many rows and columns a restored pixel sees before and after its own; None: all."""
        recording = self.recording('restore', dtype)
        if recording.graph is None:
            return recording.reach
        rows, columns = recording.graph.reach(0), recording.graph.reach(1)
        return max(rows.before, columns.before), max(rows.after, columns.after)

    def run(self, task: Task, job: Job, dtype: torch.dtype, limits: Limits) -> None:
        """Restore an image.

        Args:
            task: What is asked of the network.
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
        recording = self.recording(task, dtype)
        plain = limits.tile is None and limits.halo is None and recording.reach is None
        if plain and self._widest is None and len(jobs) > 1:
            wanted = sum(self._needed(recording, job) for job in jobs)
            if wanted <= self._working_memory(limits, jobs, wanted):
                function = self._function(task, dtype)
                with strict_float32(dtype, self.device):
                    if not self._lack(partial(run_whole, jobs, function)):
                        return
                for job in jobs:
                    job.results.discard()
        for job in jobs:
            self.run(task, job, dtype, limits)

    def _run(self, task: Task, job: Job, dtype: torch.dtype, limits: Limits) -> None:
        recording, function = self.recording(task, dtype), self._function(task, dtype)
        height, width = job.padded_size
        needed = self._needed(recording, job)
        budget = self._working_memory(limits, [job], needed)
        if limits.halo is None and recording.reach is not None:
            per_pixel = recording.bytes_per_pixel
            side = tile_side(per_pixel, budget, recording.reach, job.size_multiple)
            fits = per_pixel * height * width <= budget
            side = max(height, width) if fits else side
            self._run_in_tiles(job, function, recording.reach, side, limits)
        elif limits.halo is not None or (limits.tile is not None and recording.graph is None):
            halo = DEFAULT_HALO if limits.halo is None else limits.halo
            self._note_error(halo, dtype)
            side = DEFAULT_TILE if limits.tile is None else limits.tile
            self._run_in_tiles(job, function, (halo, halo), side, limits)
        elif recording.graph is None:
            self._refuse_beyond(recording, job, needed, budget)
            run_whole([job], function)
        elif limits.tile is None and needed <= budget and self._widest is None:
            rows = rows_per_step(recording.graph, width, self.device.type)
            if rows < height and self.device.type == 'cpu':
                self._stream(job, recording.graph, ColumnPlan(width, rows))
            else:
                self._run_at_once(job, function, recording.graph)
        else:
            plan = plan_columns(recording.graph, height, width, budget, self.device.type)
            self._stream(job, recording.graph, self._limited(plan, job, limits))

    def _function(self, task: Task, dtype: torch.dtype) -> Function:
        function = view(self.loaded.network, task)
        if isinstance(self.loaded.network, OnnxNetwork):
            return function
        graph = self.recording(task, dtype).graph
        if graph is not None and self.device.type == 'cpu':
            return partial(
                run_graph, graph
            )  # in place where possible, with activations tuned for CPUs
        return in_precision(function, dtype, self.device)

    def _needed(self, recording: Recording, job: Job) -> int:
        height, width = job.padded_size
        return int(recording.bytes_per_pixel * height * width * SURCHARGE)

    def _working_memory(self, limits: Limits, jobs: Sequence[Job], wanted: int) -> int:
        # Results take their memory as they come in.
        stored = sum(output.nbytes for job in jobs for output in job.outputs)
        return working_memory(self.device, limits.memory, stored, wanted, self._release)

    def _release(self) -> None:
        if isinstance(self.loaded.network, OnnxNetwork):
            self.loaded.network.release()

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
        """Run a network in tiles with a halo: exact where this is how far it looks."""
        chosen = [limit for limit in (limits.tile, self._widest) if limit is not None]
        self._shrinking(
            job, min([side, *chosen]), lambda smaller: run_tiled(job, function, smaller, halo),
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
            note: Tells a plan and remembers it.
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
        raise MemoryError(f'{self.loaded.name}: memory ran out for the smallest part ({lack})')

    def _lack(self, work: Callable[[], None]) -> str:
        lack = lack_of_memory(work, self.device)
        if lack:
            self._release()
        return lack

    def _note_columns(self, plan: ColumnPlan) -> None:
        self._widest = plan.width
        self._notify(f'memory ran out; going on in parts of {plan.width} columns')

    def _note_side(self, side: int) -> None:
        self._widest = side
        self._notify(f'memory ran out; going on in tiles of {side} pixels')

    def _limited(self, plan: ColumnPlan, job: Job, limits: Limits) -> ColumnPlan:
        """Return the plan, no wider than asked for or than memory allowed before."""
        widths = [plan.width, self._widest or plan.width]
        if limits.tile is not None and limits.tile < job.inputs[0].shape[1]:
            widths.append(limits.tile)
        return ColumnPlan(min(widths), plan.rows_per_step)

    def _refuse_beyond(self, recording: Recording, job: Job, needed: int, budget: int) -> None:
        """Refuse an image that cannot be divided and does not fit."""
        if needed > budget:
            height, width = job.padded_size
            raise UserError(
                f'{self.loaded.name} takes an image as a whole ({recording.obstacle}): restoring '
                f'{width}x{height} pixels takes about {needed / 2**30:.1f} GiB, and '
                f'{budget / 2**30:.1f} GiB are left; raise --memory, or choose --tile and --halo for '
                'a result that is not exact'
            )

    def _note_error(self, halo: int, dtype: torch.dtype) -> None:
        """Say that tiles see less than the network looks at."""
        reach, name = self.reach(dtype), self.loaded.name
        if reach is None:
            self.note(
                f'{name} takes an image as a whole: tiles with a halo of {halo} pixels give '
                'something else, and may show at their borders'
            )
        elif halo < max(reach):
            self.note(f'a halo of {halo} pixels is not exact: {name} looks {max(reach)} pixels far')

    def note(self, text: str) -> None:
        """Tell something once."""
        if text not in self._noted:
            self._noted.add(text)
            self._notify(text)
