"""Restores images of any size within a memory budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from attentive_gan.errors import UserError
from attentive_gan.image_io.pixels import check_image
from attentive_gan.utils.types import MapArray, PixelArray, RasterArray

from .backend import OUTPUT_CHANNELS, Backend, Task
from .execution import Execution, Limits
from .executors import Job, Progress, empty_outputs
from .loading import adopt_network, choose_device, load_exported, load_network
from .malloc_tuning import give_freed_memory_back
from .memory import default_budget
from .precision import Precision, choose_precision
from .results import NotFiniteError
from .self_ensemble import TURNS, mean_of_turns
from .torch_backend import TorchBackend

#: What runs the network.
BackendName = Literal['auto', 'torch', 'onnxruntime']

#: Bytes of an image that count in a budget.
_LARGE = 64 * 2**20

#: Pixels of a batch of small images.
_BATCH_PIXELS = 2**20


@dataclass(frozen=True)
class Restored:
    """A restored image."""

    image: PixelArray
    """(H, W, 3), RGB, of the type of the rainy one."""
    attention: MapArray | None
    """Attention map (H, W), about 0 to 1 but unbounded; None if not requested."""


@dataclass(frozen=True)
class _Request:
    """An image and what to compute from it."""

    task: Task
    inputs: Sequence[RasterArray]
    progress: Progress
    dtype: torch.dtype


class Restoring:
    """An image that a GPU may still be working on.

    Args:
        result: Waits for the result.
    """

    def __init__(self, result: Callable[[], Restored]) -> None:
        self._wait: Callable[[], Restored] | None = result
        self._restored: Restored | None = None

    def result(self) -> Restored:
        """Wait for the result and return it.

        Raises:
            UserError: It is not finite.
        """
        if self._wait is not None:
            self._restored = self._wait()
            self._wait = None  # it holds the rainy image
        assert self._restored is not None  # noqa: S101
        return self._restored


class ImageRestorer:
    """Restores images by a network.

    What the whole image needs decides how it runs: at once where that fits the budget; else in strips of
    columns, each row by row, with the same result. Networks with a global receptive field can only
    run at once, or, if a tile is chosen, in tiles whose result differs.

    Args:
        config: Config of the network; None takes the description stored with the weights, or, where there
            is none, lets the package spandrel recognise the network.
        weights: Weights (.safetensors or .pth); None takes those that ship.
        network: A network at hand instead of these, working in RGB.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        precision: Type of the network's values. `auto`: for images of 8 bits bfloat16 where the CPU or
            GPU has units for it, float16 on GPUs that have units for that only; else float32, as for
            images of 16 bits and by ONNX Runtime. Results that are not finite are computed again in
            float32.
        backend: What runs the network: `torch`, or `onnxruntime` for an ONNX file as `weights`, which runs
            in exact tiles where the whole image does not fit the budget. `auto` goes by the file.
        memory: Budget in bytes: of the process on a CPU, of the network on a GPU. None: 2 GiB, or 1 GiB
            beyond what the process takes when this is made if that is more; most of the GPU's free memory.
        tile: Largest width of a part that is restored at a time, in pixels; None lets the budget decide.
        halo: Pixels of the image around a tile; None takes the receptive field of the network. Less is
            faster and not exact.
        self_ensemble: Whether to restore the eight flips and turns of an image and take the mean: eight
            times the work.
        notify: Called with messages for the user, such as that memory ran out and smaller parts are used.

    Attributes:
        dtype: Type of the network's values for images of 8 bits.

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
        precision: Precision = 'auto',
        backend: BackendName = 'auto',
        memory: int | None = None,
        tile: int | None = None,
        halo: int | None = None,
        self_ensemble: bool = False,
        notify: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.precision = precision
        if backend == 'auto':
            is_onnx = network is None and str(weights or '').endswith('.onnx')
            backend = 'onnxruntime' if is_onnx else 'torch'
        if backend == 'onnxruntime':
            if network is not None or precision not in ('auto', 'float32'):
                raise UserError('--backend onnxruntime runs ONNX files in float32 and nothing else')
            self.loaded: Backend = load_exported(config, weights, device)
            self.dtype = torch.float32
        else:
            chosen = choose_device(device)
            dtype = choose_precision(precision, chosen)
            self.loaded = _loaded(config, weights, network, chosen)
            self.dtype = _supported(dtype, precision, self.loaded)
            if note := getattr(self.loaded.network, 'note', ''):
                notify(note)
        self.device = self.loaded.device
        self.memory = default_budget(self.device) if memory is None else memory
        self.tile, self.halo = tile, halo
        self.self_ensemble = self_ensemble
        self._execution = Execution(self.loaded, notify)
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """Name of the network and its weights, for messages and records."""
        return self.loaded.name

    @property
    def gives_attention(self) -> bool:
        """Whether the network predicts an attention map."""
        return self.loaded.gives_attention

    @property
    def reach(self) -> tuple[int, int] | None:
        """Receptive-field radius (before, after), in pixels; None if global."""
        return self._execution.reach(self.dtype)

    def restore(
        self,
        image: PixelArray,
        *,
        attention: bool = False,
        held: MapArray | None = None,
        progress: Progress = lambda part: None,
    ) -> Restored:
        """Restore an image.

        Args:
            image: RGB (H, W, 3), uint8 or uint16; H and W are at least 1.
            attention: Whether to return the attention map too.
            held: Attention map (H, W) to take instead of the image's own.
            progress: Progress callback; fraction in [0, 1].

        Raises:
            UserError: The network gives no attention, memory does not suffice, or the result is not finite.
            MemoryError: Memory ran out even for the smallest parts.
        """
        if held is None:
            return self.begin([image], attention=attention, progress=progress)[0].result()
        if self.self_ensemble:
            raise UserError(
                'an attention map of earlier frames fits one pass only; omit --self-ensemble'
            )
        request = self._request('hold', [image, held[..., None]], progress)
        outputs = self._finished(request, self._begun([request])[0])
        return Restored(outputs[0], held if attention else None)

    def begin(
        self,
        images: Sequence[PixelArray],
        *,
        attention: bool = False,
        progress: Progress = lambda part: None,
    ) -> list[Restoring]:
        """Begin to restore images of one size and type; else like `restore`.

        A GPU works on while this returns; elsewhere the images are restored when it does. Threads may
        wait for results while another begins with more.

        Args:
            images: RGB (H, W, 3) each; `together` returns how many are best.
            attention: Whether to return attention maps too.
            progress: Progress callback of each image; fraction in [0, 1].

        Raises:
            ValueError: Sizes or types differ.
            UserError: As of `restore`; on a GPU, `Restoring.result` raises it for results that are not
                finite.
        """
        kinds = {(getattr(image, 'shape', None), getattr(image, 'dtype', None)) for image in images}
        if len(kinds) != 1:
            raise ValueError('images that are begun together must be of one size and type')
        if self.self_ensemble:
            return [self._begin_turned(image, attention, progress) for image in images]
        return self._begin(images, attention, progress)

    def _begin_turned(self, image: PixelArray, attention: bool, progress: Progress) -> Restoring:
        """Restore the flips and turns of an image one after another."""

        def restored(turned: PixelArray, number: int) -> tuple[RasterArray, ...]:
            def part(share: float) -> None:
                progress((number + share) / len(TURNS))

            found = self._begin([turned], attention, part)[0].result()
            return (found.image,) if found.attention is None else (found.image, found.attention)

        means = mean_of_turns(image, restored)
        whole = Restored(means[0], means[1] if attention else None)
        return Restoring(lambda: whole)

    def _begin(
        self, images: Sequence[PixelArray], attention: bool, progress: Progress
    ) -> list[Restoring]:
        task: Task = 'both' if attention else 'restore'
        requests = [self._request(task, [image], progress) for image in images]
        begun = self._begun(requests)
        return [
            Restoring(self._waiting(one, job)) for one, job in zip(requests, begun, strict=True)
        ]

    @property
    def most_together(self) -> int:
        """How many small images of one size are best restored at once."""
        return self.loaded.max_batch

    def together(self, image: PixelArray) -> int:
        """Return how many images of the size of this one are best restored at once."""
        pixels = int(image.shape[0]) * int(image.shape[1])
        return min(max(_BATCH_PIXELS // pixels, 1), self.most_together)

    def attend(self, image: PixelArray, progress: Progress = lambda part: None) -> MapArray:
        """Predict the attention map (H, W) of an image alone; else like `restore`."""
        request = self._request('attend', [image], progress)
        return self._finished(request, self._begun([request])[0])[0][..., 0]

    def _request(self, task: Task, inputs: Sequence[RasterArray], progress: Progress) -> _Request:
        image = inputs[0]
        check_image(image)
        if task != 'restore' and not self.gives_attention:
            raise UserError(f'{self.name} predicts no attention map; choose a network that does')
        deep = self.precision == 'auto' and image.dtype == np.uint16
        return _Request(task, inputs, progress, torch.float32 if deep else self.dtype)

    def _begun(self, requests: Sequence[_Request]) -> list[Job]:
        """Give images of one size and type to the device."""
        jobs = [self._job(one) for one in requests]
        first = requests[0]
        limits = Limits(self.memory, self.tile, self.halo)
        with self._lock:
            try:
                self._execution.run_together(first.task, jobs, first.dtype, limits)
            except NotFiniteError:
                # On a GPU this shows later, in `_finished`.
                if first.dtype == torch.float32:
                    raise
                return [self._in_float32(one) for one in requests]
        return jobs

    def _finished(self, request: _Request, job: Job) -> Sequence[RasterArray]:
        """Wait for an image and return its results."""
        try:
            job.results.finish()
        except NotFiniteError:
            if request.dtype == torch.float32:
                raise
            job = self._in_float32(request)
            job.results.finish()
        return job.outputs

    def _in_float32(self, request: _Request) -> Job:
        """Begin again with an image whose result is not finite in 16 bits."""
        kind = str(request.dtype).removeprefix('torch.')
        self._execution.note(
            f'{self.name} gives values that are not finite in {kind}; such images are restored in '
            'float32 instead, so choose --precision float32 if there are many'
        )
        job = self._job(request)
        limits = Limits(self.memory, self.tile, self.halo)
        with self._lock:
            self._execution.run(request.task, job, torch.float32, limits)
        return job

    def _waiting(self, request: _Request, job: Job) -> Callable[[], Restored]:
        def result() -> Restored:
            outputs = self._finished(request, job)
            return Restored(outputs[0], outputs[1][..., 0] if request.task == 'both' else None)

        return result

    def _job(self, request: _Request) -> Job:
        image, loaded = request.inputs[0], self.loaded
        if image.nbytes > _LARGE:
            give_freed_memory_back()  # or results lie where memory counts as taken already
        small = min(image.shape[:2]) < loaded.smallest
        multiple = loaded.size_multiple or (loaded.smallest if small else 1)
        return Job(
            request.inputs, empty_outputs(image, OUTPUT_CHANNELS[request.task]), multiple,
            loaded.padding_mode, loaded.like, loaded.channel_order, request.progress,
        )  # fmt: skip


def _supported(dtype: torch.dtype, precision: Precision, loaded: Backend) -> torch.dtype:
    """Return a type that the network supports: float32 where none was chosen.

    Raises:
        UserError: The chosen one is not supported.
    """
    if loaded.can_compute_in(dtype):
        return dtype
    if precision != 'auto':
        raise UserError(
            f'--precision {precision}: {loaded.name} does not support it; choose auto or float32'
        )
    return torch.float32


def _loaded(
    config: str | None, weights: str | None, network: nn.Module | None, device: torch.device
) -> TorchBackend:
    if network is not None:
        return adopt_network(network, device)
    return load_network(config, weights, device)
