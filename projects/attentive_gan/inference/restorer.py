"""Restores pictures of any size within a memory budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from attentive_gan.errors import UserError

from .executors import Job, Progress, empty_outputs, run_streamed, run_tiled, run_whole
from .freed_memory import give_freed_memory_back, sparing_memory
from .loading import adopt_network, choose_device, load_exported, load_network
from .local_graph import LocalGraph, Recording, record, twin
from .memory import (
    ROWS_PER_STEP,
    SURCHARGE,
    ColumnPlan,
    default_budget,
    is_out_of_memory,
    narrower,
    plan_columns,
    working_memory,
)
from .onnx_network import OnnxNetwork
from .recomputation import with_recomputation
from .tiling import tile_side
from .views import Task, gives_attention, input_channels, output_channels, view

Precision = Literal['float32', 'bfloat16', 'float16']

#: What runs the network.
Backend = Literal['torch', 'onnxruntime']

#: Side of a tile where only a halo was chosen.
DEFAULT_TILE = 512

#: Halo of networks that look at the picture as a whole, where only a tile was chosen, in pixels.
DEFAULT_HALO = 64

#: Bytes of a picture that count in a budget.
_LARGE = 64 * 2**20

#: Pictures with a shorter side are padded for networks that do not say how they pad: those of MMagic mirror
#: the border themselves, which takes up to 8 pixels.
_SMALLEST = 16


@dataclass(frozen=True)
class Restored:
    """A restored picture."""

    picture: NDArray
    """(H, W, 3), RGB, of the type of the rainy one."""
    attention: NDArray[np.float32] | None
    """Attention map (H, W), about 0 to 1 but unbounded; None if not asked for."""


class Restorer:
    """Restores pictures by a network.

    What the whole picture needs decides how it runs: at once where that fits the budget; else in strips of
    columns, each row by row, with the same result. Networks that look at the picture as a whole can only
    run at once, or, if a tile is chosen, in tiles whose result differs.

    Args:
        config: Config of the network; None takes what the weights say of themselves.
        weights: Weights (.safetensors or .pth); None takes those that ship.
        network: A network at hand instead of these, working in RGB.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        precision: Type of the network's values.
        backend: What runs the network: `torch`, or `onnxruntime` for an ONNX file as `weights`, which runs
            in exact tiles where the whole picture does not fit the budget.
        memory: Budget in bytes: of the process on a CPU, of the network on a GPU. None: 2 GiB, or 1 GiB
            beyond what the process takes when this is made if that is more; most of the GPU's free memory.
        tile: Largest width of a part that is restored at a time, in pixels; None lets the budget decide.
        halo: Pixels that the network sees around a tile; None takes what it really looks at. Less is faster
            and not exact.
        notify: Told about what a user should know, such as that memory ran out and smaller parts are used.

    Raises:
        UserError: A file is missing or does not fit, there is no such device, or an option does not fit it.
    """

    def __init__(
        self,
        config: str | None = None,
        weights: str | None = None,
        *,
        network: nn.Module | None = None,
        device: str = 'auto',
        precision: Precision = 'float32',
        backend: Backend = 'torch',
        memory: int | None = None,
        tile: int | None = None,
        halo: int | None = None,
        notify: Callable[[str], None] = lambda text: None,
    ) -> None:
        if backend == 'onnxruntime':
            if network is not None or precision != 'float32':
                raise UserError('--backend onnxruntime runs ONNX files in float32 and nothing else')
            self.loaded = load_exported(config, weights, device)
        elif network is not None:
            self.loaded = adopt_network(network, choose_device(device), precision)
        else:
            self.loaded = load_network(config, weights, choose_device(device), precision)
        self.device = self.loaded.device
        self.memory = default_budget(self.device) if memory is None else memory
        self.tile, self.halo = tile, halo
        self._notify = notify
        self._recordings: dict[Task, Recording] = {}
        self._noted: set[str] = set()
        self._widest: int | None = None  # columns at a time, after memory ran out

    @property
    def name(self) -> str:
        """Name of the network and its weights, for messages and records."""
        return self.loaded.name

    @property
    def gives_attention(self) -> bool:
        """Whether the network draws an attention map."""
        return gives_attention(self.loaded.network)

    @property
    def reach(self) -> tuple[int, int] | None:
        """Rows and columns that a restored pixel depends on before and after its own; None: on all."""
        recording = self._recording('restore')
        if recording.graph is None:
            return recording.reach
        rows, columns = recording.graph.reach(0), recording.graph.reach(1)
        return max(rows.before, columns.before), max(rows.after, columns.after)

    def restore(
        self,
        picture: NDArray,
        *,
        attention: bool = False,
        held: NDArray[np.float32] | None = None,
        progress: Progress = lambda part: None,
    ) -> Restored:
        """Restore a picture.

        Args:
            picture: RGB (H, W, 3), uint8 or uint16; H and W are at least 1.
            attention: Whether to return the attention map too.
            held: Attention map (H, W) to take instead of the picture's own.
            progress: Told the part of the work that is done, 0 to 1.

        Raises:
            UserError: The network gives no attention, memory does not suffice, or the result is not finite.
        """
        if held is not None:
            result = self._run('hold', [picture, held[..., None]], progress)[0]
            return Restored(result, held if attention else None)
        if attention:
            result, drawn = self._run('both', [picture], progress)
            return Restored(result, drawn[..., 0])
        return Restored(self._run('restore', [picture], progress)[0], None)

    def attend(
        self, picture: NDArray, progress: Progress = lambda part: None
    ) -> NDArray[np.float32]:
        """Draw the attention map (H, W) of a picture alone; else like `restore`."""
        return self._run('attend', [picture], progress)[0][..., 0]

    def _run(self, task: Task, inputs: list[NDArray], progress: Progress) -> list[NDArray]:
        picture = inputs[0]
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype not in (np.uint8, np.uint16):
            raise ValueError(
                f'a picture must be (H, W, 3), uint8 or uint16; got {picture.dtype} {picture.shape}'
            )
        if task != 'restore' and not self.gives_attention:
            raise UserError(f'{self.name} draws no attention map; choose a network that does')
        if picture.nbytes > _LARGE:
            give_freed_memory_back()  # or results lie where memory counts as taken already
        outputs = empty_outputs(picture, output_channels(task))
        loaded = self.loaded
        multiple = loaded.size_multiple or (1 if min(picture.shape[:2]) >= _SMALLEST else _SMALLEST)
        job = Job(
            inputs, outputs, multiple, loaded.padding_mode, loaded.like,
            loaded.channel_order, progress,
        )  # fmt: skip
        self._execute(task, job)
        return outputs

    def _execute(self, task: Task, job: Job) -> None:
        recording = self._recording(task)
        stored = sum(output.nbytes for output in job.outputs)  # taken as the results come in
        height, width = job.padded_size
        needed = int(recording.bytes_per_pixel * height * width * SURCHARGE)
        budget = working_memory(self.device, self.memory, stored, needed)
        if self.halo is None and recording.reach is not None:
            per_pixel = recording.bytes_per_pixel
            side = tile_side(per_pixel, budget, recording.reach, job.size_multiple)
            fits = per_pixel * height * width <= budget
            self._run_in_tiles(job, task, recording.reach, max(height, width) if fits else side)
        elif self.halo is not None or (self.tile is not None and recording.graph is None):
            halo = DEFAULT_HALO if self.halo is None else self.halo
            self._note_error(halo)
            self._run_in_tiles(
                job, task, (halo, halo), DEFAULT_TILE if self.tile is None else self.tile
            )
        elif recording.graph is None:
            self._run_undivided(task, job, recording, needed, budget)
        elif self.tile is None and needed <= budget and self._widest is None:
            self._run_at_once(task, job, recording.graph)
        else:
            plan = plan_columns(recording.graph, height, width, budget, self.device.type)
            self._stream(job, recording.graph, self._limited(plan, job))

    def _note_error(self, halo: int) -> None:
        """Say that tiles see less than the network looks at."""
        reach = self.reach
        if reach is None:
            self._note(
                f'{self.name} takes a picture as a whole: tiles with a halo of {halo} pixels give '
                'something else, and may show at their borders'
            )
        elif halo < max(reach):
            self._note(
                f'a halo of {halo} pixels is not exact: {self.name} looks {max(reach)} pixels far'
            )

    def _note(self, text: str) -> None:
        """Tell something once."""
        if text not in self._noted:
            self._noted.add(text)
            self._notify(text)

    def _run_undivided(
        self, task: Task, job: Job, recording: Recording, needed: int, budget: int
    ) -> None:
        """Run a network that cannot be divided."""
        if needed > budget:
            height, width = job.padded_size
            raise UserError(
                f'{self.name} takes a picture as a whole ({recording.obstacle}): restoring '
                f'{width}x{height} pixels takes about {needed / 2**30:.1f} GiB, and '
                f'{budget / 2**30:.1f} GiB are left; raise --memory, or choose --tile and --halo for '
                'a result that is not exact'
            )
        run_whole(job, view(self.loaded.network, task))

    def _run_in_tiles(self, job: Job, task: Task, halo: tuple[int, int], side: int) -> None:
        """Run a network in tiles with a halo: exact where this is how far it looks."""
        limits = [limit for limit in (self.tile, self._widest) if limit is not None]
        side = min([side, *limits])
        try:
            with sparing_memory():
                run_tiled(job, view(self.loaded.network, task), side, halo)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or side <= job.size_multiple:
                raise
            self._widest = side // 2
            self._notify(f'memory ran out; going on in tiles of {self._widest} pixels')
            self._run_in_tiles(job, task, halo, self._widest)

    def _run_at_once(self, task: Task, job: Job, graph: LocalGraph) -> None:
        try:
            run_whole(job, view(self.loaded.network, task))
        except RuntimeError as error:
            plan = ColumnPlan(2 * job.padded_size[1], ROWS_PER_STEP[0])
            self._stream(job, graph, self._shrunk(plan, graph.size_multiple, error))

    def _stream(self, job: Job, graph: LocalGraph, plan: ColumnPlan) -> None:
        try:
            with sparing_memory():
                run_streamed(job, graph, plan)
        except RuntimeError as error:
            self._stream(job, graph, self._shrunk(plan, graph.size_multiple, error))

    def _shrunk(self, plan: ColumnPlan, multiple: int, error: RuntimeError) -> ColumnPlan:
        """Return a plan with half the columns, for this picture and all later ones."""
        smaller = narrower(plan, multiple) if is_out_of_memory(error) else None
        if smaller is None:
            raise error
        if self.device.type == 'cuda':
            torch.cuda.empty_cache()
        self._notify(f'memory ran out; going on in parts of {smaller.width} columns')
        self._widest = smaller.width
        return smaller

    def _limited(self, plan: ColumnPlan, job: Job) -> ColumnPlan:
        """Return the plan, no wider than asked for or than memory allowed before."""
        widths = [plan.width, self._widest or plan.width]
        if self.tile is not None and self.tile < job.inputs[0].shape[1]:
            widths.append(self.tile)
        return ColumnPlan(min(widths), plan.rows_per_step)

    def _recording(self, task: Task) -> Recording:
        if task not in self._recordings:
            loaded = self.loaded
            if isinstance(loaded.network, OnnxNetwork):
                return loaded.network.recording()
            recording = record(
                view(twin(loaded.network), task), input_channels(task), loaded.size_multiple,
                loaded.like,
            )  # fmt: skip
            if recording.graph is not None:
                recording = replace(recording, graph=with_recomputation(recording.graph))
            self._recordings[task] = recording
        return self._recordings[task]
