"""A data loader whose batches are crops from a pool of images on the training device."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

#: Seconds between two looks for new images while the pool is empty.
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
    """Endless batches of random crops, drawn on the device from images that workers keep renewing.

    A fast card asks for more crops than processors can render. Here worker processes make whole
    images by a pipeline as ever, a thread copies them to a pool of uint8 images on the device, where
    the newest replace the oldest, and a batch is drawn there: crops, mirroring, scales and colours,
    with nothing to wait for. So a rendered image is used for several crops, and the more often the
    faster the card.

    Which images are in the pool depends on how fast the workers are: trainings are not reproducible
    bit by bit, and go on with other images after a resume. Use a plain data loader where that matters.

    Args:
        dataset: Data set, or its config, whose samples hold `pairs`: (H, W, 7) of `PackPair`, or
            (K, H, W, 7) of `RenderPairs`; all images of one size.
        sampler: Sampler of the images, or its config: a `SeededSampler`.
        batch_size: Crops N of a batch.
        crop_size: Height and width of a crop in pixels.
        stages: Other batch and crop sizes for later parts of the training, such as
            [dict(begin=0.6, batch_size=24, crop_size=224)], by the progress that the training loop tells.
        pool_size: Images in the pool; one of 720x480 takes 2.4 MB of the device's memory.
        start_size: Images that must have arrived before the first batch.
        num_workers: Worker processes; 0 makes images in the thread itself, None takes three quarters
            of the processors.
        images_per_batch: Largest number of new images for each batch, on average; None for as many as
            the workers make. On a machine without a card they would take the processors that train.
        augmentation: Arguments of `CropOptions`.
        device: Where the pool lies; None for the device that training uses.
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
        self.batches = 0
        """Batches drawn since the start."""
        self.seed = seed or 0
        self.device = _with_index(torch.device(device or get_device()))
        self.augmentation = CropOptions(**_with_tuples(augmentation or {}))
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
        self._filler: _Filler | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield `pairs` (N, H, W, 7), uint8, on the device, for ever.

        Raises:
            UserError: A worker failed; the message is its own. Or crops are larger than the images.
        """
        self.close()
        self.batches = 0
        self._filler = filler = _Filler(self)
        filler.start()
        pool = filler.wait_for(self.start_size)
        for stage in self.stages:  # not when a stage begins, after hours
            pool.check_crop(stage.crop_size)
        self.pool = pool
        while True:
            filler.check()
            stage = self.stage()
            self.batches += 1
            yield {'pairs': pool.draw(stage.batch_size, stage.crop_size, self.augmentation)}

    def __len__(self) -> int:
        """Return the number of batches in which each image would be used once."""
        return max(1, len(self.dataset) // self.batch_size)

    def stage(self) -> CropStage:
        """Return what is drawn at the present progress of the training."""
        progress = MessageHub.get_current_instance().runtime_info.get('progress', 0.0)
        return [stage for stage in self.stages if stage.begin <= progress][-1]

    def close(self) -> None:
        """Stop workers and thread; the pool is given back."""
        if self._filler is not None:
            self._filler.stop()
            self._filler = None
        self.pool = None


class _Filler(threading.Thread):
    """Copies what the workers make into the pool."""

    def __init__(self, loader: PooledDataLoader) -> None:
        super().__init__(name='image-pool', daemon=True)
        self._loader = loader
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._pool: ImagePool | None = None
        self._images = self._workers()
        # Processes are forked here, not in the thread.
        self._iterator = iter(self._images)

    def _workers(self) -> DataLoader:
        loader = self._loader
        cuda = loader.device.type == 'cuda'
        return DataLoader(
            loader.dataset, batch_size=1, sampler=loader.sampler, num_workers=loader.num_workers,
            collate_fn=_first, pin_memory=cuda, worker_init_fn=_one_thread,
        )  # fmt: skip

    def run(self) -> None:
        """Fill the pool until stopped."""
        try:
            if self._loader.device.type == 'cuda':
                torch.cuda.set_device(self._loader.device)
                with torch.cuda.stream(torch.cuda.Stream(self._loader.device)):
                    self._fill()
            else:
                self._fill()
        except BaseException as error:  # noqa: BLE001 -- handed on to the training's thread
            self._error = error

    def _fill(self) -> None:
        while not self._stopped.is_set():
            if self._has_enough():
                time.sleep(_POLL)
                continue
            pairs = next(self._iterator)
            pairs = pairs if pairs.ndim == 4 else pairs[None]
            if self._pool is None:
                loader = self._loader
                first = getattr(loader.sampler, '_first_iteration', 0)
                size = (int(pairs.shape[1]), int(pairs.shape[2]))
                seed = loader.seed * 1_000_003 + first
                rank, processes = get_dist_info()
                # Processes have images of their own; their crops must not lie in the same places.
                own = seed * processes + rank
                self._pool = ImagePool(loader.pool_size, size, loader.device, own)
            self._pool.put(pairs)

    def _has_enough(self) -> bool:
        """Tell whether the pool got all new images that the batches so far are due."""
        loader, pool = self._loader, self._pool
        if loader.images_per_batch is None or pool is None or pool.count < loader.start_size:
            return False
        return pool.received - loader.start_size > loader.images_per_batch * loader.batches

    def wait_for(self, count: int) -> ImagePool:
        """Return the pool as soon as it holds some images."""
        while self._pool is None or self._pool.count < count:
            self.check()
            time.sleep(_POLL)
        return self._pool

    def check(self) -> None:
        """Raise what the thread ran into."""
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the thread and the workers."""
        self._stopped.set()
        self.join()
        del self._iterator, self._images


def _stage(fields: Mapping[str, Any]) -> CropStage:
    try:
        return CropStage(**fields)
    except TypeError as error:
        raise UserError(
            f'train_dataloader.stages: each has begin, batch_size and crop_size; got {dict(fields)}'
        ) from error


def _with_index(device: torch.device) -> torch.device:
    """Name the card that `cuda` alone means; a thread of its own would take the first one."""
    if device.type == 'cuda' and device.index is None:
        return torch.device('cuda', torch.cuda.current_device())
    return device


def _spare_processors() -> int:
    """Return three quarters of the processors that this process may use, shared on its machine.

    A process that trains on a fast card waits for its own launches if it has no processor to itself.
    """
    usable = (
        len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    )
    own = usable // get_local_size()
    return max(1, own - max(1, own // 4))


def _first(samples: Sequence[Mapping[str, Any]]) -> torch.Tensor:
    return samples[0]['pairs']


def _one_thread(_: int) -> None:
    import cv2

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _with_tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in options.items()}


def build_pooled_dataloader(config: Mapping[str, Any], seed: int | None) -> PooledDataLoader:
    """Build a data loader that a config chooses by its type.

    Args:
        config: `train_dataloader` with a `type`.
        seed: Seed of the run.
    """
    chosen = dict(config)
    if isinstance(chosen.get('dataset'), Mapping):
        chosen['dataset'] = DATASETS.build(chosen['dataset'])
    return DATA_LOADERS.build(dict(chosen, seed=chosen.get('seed', seed)))
