"""A data loader whose batches are crops from a pool of images on the training device."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import torch
from mmagic.registry import DATA_SAMPLERS, DATASETS
from mmengine.device import get_device
from mmengine.dist import get_dist_info, get_local_size
from mmengine.logging import MessageHub
from mmengine.registry import Registry
from torch.utils.data import DataLoader

from attentive_gan.errors import UserError

from .image_pool import CropOptions, ImagePool

#: Data loaders that a config can choose by `train_dataloader=dict(type=...)`.
DATA_LOADERS = Registry('data loader', scope='mmagic')

#: Seconds after which workers that make nothing are given up.
LOADER_TIMEOUT = 600

#: Seconds between two checks for new images while the pool is empty.
_POLL = 0.02


@dataclass(frozen=True)
class CropStage:
    """Crops of a part of the training."""

    begin: float
    """Share of the training after which it begins, 0 to 1."""
    batch_size: int
    """Crops of a batch."""
    crop_size: int
    """Height and width of a crop in pixels."""


@DATA_LOADERS.register_module()
class PooledDataLoader:
    """Endless batches of random crops, cut on the device from images that workers keep renewing.

    A fast GPU takes more crops than CPUs can render. Here worker processes make whole images by a pipeline
    as usual, a thread copies them to a pool of uint8 images on the device, where the newest replace the
    oldest, and a batch is made there: crops, flips, scales and colours, without waiting. So a rendered
    image is used for several crops, and the more often the faster the GPU.

    Which images are in the pool depends on how fast the workers are: trainings are not reproducible
    bit by bit, and go on with other images after a resume. Use a plain data loader where that matters.

    Args:
        dataset: Data set, or its config, whose samples hold `pairs`: (H, W, 7) of `PackPair`, or
            (K, H, W, 7) of `RenderPairs`; all images of one size.
        sampler: Sampler of the images, or its config: a `SeededSampler` or `SharesSampler`.
        batch_size: Crops N of a batch.
        crop_size: Height and width of a crop in pixels.
        stages: Other batch and crop sizes for later parts of the training, such as
            [dict(begin=0.6, batch_size=24, crop_size=224)], by the progress of the training loop.
        pool_size: Images in the pool; one of 720x480 takes 2.4 MB of the device's memory.
        start_size: Images that must have arrived before the first batch.
        num_workers: Worker processes; 0 makes images in the thread itself, None takes three quarters
            of the CPUs.
        images_per_batch: Largest number of new images for each batch, on average; None for as many as
            the workers make. Without a GPU they would take the CPUs that train.
        augmentation: Arguments of `CropOptions`.
        device: Device of the pool; None for the device that training uses.
        seed: Seed of the crops.

    Raises:
        UserError: An option is out of its range, or does not fit another.
    """

    def __init__(
        self,
        dataset: Any,
        sampler: Any,
        batch_size: int,
        crop_size: int,
        stages: Sequence[Mapping[str, Any]] = (),
        pool_size: int = 2000,
        start_size: int = 200,
        num_workers: int | None = None,
        images_per_batch: float | None = None,
        augmentation: Mapping[str, Any] | None = None,
        device: str | None = None,
        seed: int | None = None,
    ) -> None:
        if pool_size < 1 or not 1 <= start_size <= pool_size:
            raise UserError(
                f'train_dataloader: pool_size must be 1 or more and start_size within it; '
                f'got {pool_size} and {start_size}'
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.pool_size, self.start_size = pool_size, start_size
        self.num_workers = _spare_processors() if num_workers is None else num_workers
        self.images_per_batch = images_per_batch
        self.seed = seed or 0
        self.device = _with_index(torch.device(device or get_device()))
        self.augmentation = CropOptions(**(augmentation or {}))
        first = CropStage(0.0, batch_size, crop_size)
        self.stages = [first, *(_stage(stage) for stage in stages)]
        if any(min(stage.batch_size, stage.crop_size) < 1 for stage in self.stages):
            raise UserError('train_dataloader: batch_size and crop_size must be 1 or more')
        if any(b.begin <= a.begin for a, b in zip(self.stages, self.stages[1:], strict=False)):
            raise UserError('train_dataloader.stages must begin one after another, all after 0')
        if isinstance(sampler, dict):
            sampler = DATA_SAMPLERS.build(sampler, default_args=dict(dataset=dataset, seed=seed))
        self.sampler = sampler
        self.pool: ImagePool | None = None
        self._stop: Callable[[], Any] = lambda: None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield `pairs` (N, H, W, 7), uint8, on the device, endlessly.

        Raises:
            UserError: A worker failed; the message is its own. Or crops are larger than the images.
        """
        self.close()
        filler = _Filler(self)
        # Called by `close`, by the garbage collector, or when Python exits: a thread that is in a call of
        # torch when the interpreter is torn down would abort the process.
        self._stop = weakref.finalize(self, filler.stop)
        filler.start()
        self.pool = pool = filler.wait_for_pool()
        for stage in self.stages:  # not when a stage begins, after hours
            pool.check_crop(stage.crop_size)
        while True:
            filler.check()
            stage = self.stage()
            filler.batches += 1
            yield {'pairs': pool.random_crops(stage.batch_size, stage.crop_size, self.augmentation)}

    def __len__(self) -> int:
        """Return the number of batches in which each image would be used once."""
        return max(1, len(self.dataset) // self.batch_size)

    def stage(self) -> CropStage:
        """Return the stage at the present progress of the training."""
        progress = MessageHub.get_current_instance().runtime_info.get('progress', 0.0)
        return [stage for stage in self.stages if stage.begin <= progress][-1]

    def close(self) -> None:
        """Stop workers and thread, and free the pool; also called at the end of a `with` block."""
        self._stop()
        self.pool = None

    def __enter__(self) -> PooledDataLoader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Filler(threading.Thread):
    """Copies the images of the workers into the pool.

    It holds no reference to its data loader, so that one which is dropped without `close` ends the thread.
    """

    def __init__(self, loader: PooledDataLoader) -> None:
        super().__init__(name='image-pool', daemon=True)
        self.batches = 0
        self._pool_size, self._start_size = loader.pool_size, loader.start_size
        self._images_per_batch = loader.images_per_batch
        self._device = loader.device
        # Processes have images of their own; their crops must be in other places too.
        rank, processes = get_dist_info()
        first = getattr(loader.sampler, 'first_iteration', 0)
        self._seed = (loader.seed * 1_000_003 + first) * processes + rank
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._pool: ImagePool | None = None
        images = DataLoader(
            loader.dataset,
            batch_size=1,
            sampler=loader.sampler,
            num_workers=loader.num_workers,
            collate_fn=_first,
            pin_memory=self._device.type == 'cuda',
            worker_init_fn=_one_thread,
            timeout=LOADER_TIMEOUT if loader.num_workers else 0,
        )
        # Processes are forked here, not in the thread, and without OpenCV's threads: a forked process has
        # none of them, and would hang when it is set to use fewer.
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        self._iterator: Iterator[torch.Tensor] | None = iter(images)
        cv2.setNumThreads(threads)

    def run(self) -> None:
        """Fill the pool until stopped."""
        try:
            if self._device.type == 'cuda':
                torch.cuda.set_device(self._device)
                with torch.cuda.stream(torch.cuda.Stream(self._device)):
                    self._fill()
            else:
                self._fill()
        except BaseException as error:  # noqa: BLE001 -- raised again in the training's thread
            self._error = error

    def _fill(self) -> None:
        while not self._stopped.is_set() and self._iterator is not None:
            if self._has_enough():
                time.sleep(_POLL)
                continue
            pairs = next(self._iterator)
            pairs = pairs if pairs.ndim == 4 else pairs[None]
            if self._pool is None:
                size = (int(pairs.shape[1]), int(pairs.shape[2]))
                self._pool = ImagePool(self._pool_size, size, self._device, self._seed)
            self._pool.put(pairs)

    def _has_enough(self) -> bool:
        """Return whether the pool got all new images for the batches so far."""
        pool = self._pool
        if self._images_per_batch is None or pool is None or pool.count < self._start_size:
            return False
        return pool.received - self._start_size > self._images_per_batch * self.batches

    def wait_for_pool(self) -> ImagePool:
        """Return the pool as soon as it holds `start_size` images."""
        while self._pool is None or self._pool.count < self._start_size:
            self.check()
            time.sleep(_POLL)
        return self._pool

    def check(self) -> None:
        """Raise the error that ended the thread."""
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the thread and the workers."""
        self._stopped.set()
        if threading.current_thread() is not self:  # the garbage collector may run in any thread
            self.join()
        self._iterator = None


def _stage(fields: Mapping[str, Any]) -> CropStage:
    try:
        return CropStage(**fields)
    except TypeError as error:
        raise UserError(
            f'train_dataloader.stages: each has begin, batch_size and crop_size; got {dict(fields)}'
        ) from error


def _with_index(device: torch.device) -> torch.device:
    """Return the GPU that `cuda` alone means; another thread would take the first one."""
    if device.type == 'cuda' and device.index is None:
        return torch.device('cuda', torch.cuda.current_device())
    return device


def _spare_processors() -> int:
    """Return three quarters of the CPUs that this process may use, shared on its machine.

    A process that trains on a fast GPU waits for its own launches if it has no CPU to itself.
    """
    usable = (
        len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    )
    own = usable // int(get_local_size())
    return max(1, own - max(1, own // 4))


def _first(samples: Sequence[Mapping[str, Any]]) -> torch.Tensor:
    pairs: torch.Tensor = samples[0]['pairs']
    return pairs


def _one_thread(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def build_pooled_dataloader(config: Mapping[str, Any], seed: int | None) -> PooledDataLoader:
    """Build a data loader that a config chooses by its type.

    Args:
        config: `train_dataloader` with a `type`.
        seed: Seed of the run.
    """
    chosen = dict(config)
    if isinstance(chosen.get('dataset'), Mapping):
        chosen['dataset'] = DATASETS.build(chosen['dataset'])
    loader: PooledDataLoader = DATA_LOADERS.build({'seed': seed, **chosen})
    return loader
