"""What all data sets of images have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmagic.registry import TRANSFORMS
from mmengine.dataset import BaseDataset
from numpy.typing import NDArray

from attentive_gan.errors import UserError

from .image_cache import ImageCache
from .samplers.draws import Draw, seeded

Image = NDArray[np.uint8]


class ImageDataset(BaseDataset):
    """Samples of one or more images of one size, told apart by names.

    A sample's randomness comes from (seed, draw) alone: its pipeline runs with the global random
    generators seeded for this draw. A plain index is its own draw, so that a data set which is read in
    order, as in validation, gives the same samples every time. A sample is never replaced by another one.

    A subclass implements `load_data_list`, whose entries have at least `name` and `size` (H, W), and
    `decode`, which gives the images of an entry.

    Args:
        data_root: Folder of the data set; empty where it needs no files.
        pipeline: Transforms, or their configs.
        seed: Seed of the samples' randomness, 0 or more, where the sampler's draws carry none.
        cache: Whether to keep decoded images in memory (see `ImageCache`).
        cache_limit_gib: Largest memory for decoded images in GiB.
        metainfo: More entries for the data set's `metainfo`.
        indices: The first so many samples, or the indices of the samples to use; None for all.
        test_mode: Kept for the toolbox; samples are made in the same way in training and test.
        lazy_init: Whether to leave the search and verification of the files to the first use.

    Raises:
        UserError: The seed is negative, or what `load_data_list` raises.
    """

    METAINFO = {'task_name': 'raindrop removal'}

    #: Number of images that `decode` returns.
    IMAGES = 1

    def __init__(
        self,
        data_root: str,
        pipeline: Sequence[dict[str, Any] | Callable] = (),
        *,
        seed: int = 0,
        cache: bool = False,
        cache_limit_gib: float = 8.0,
        metainfo: dict[str, Any] | None = None,
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
        lazy_init: bool = False,
    ) -> None:
        if seed < 0:
            raise UserError(f'{type(self).__name__}: seed must be 0 or more; got {seed}.')
        self.seed = seed
        self.cache = cache
        self.cache_limit_gib = cache_limit_gib
        self._memory: ImageCache | None = None
        self._names: list[str] = []
        described = {'dataset_name': Path(data_root).name, **(metainfo or {})}
        super().__init__(
            metainfo=described,
            data_root=str(data_root),
            data_prefix={},
            # Built here, not by Compose: that looks names up in whatever scope happens to be
            # active.
            pipeline=[
                TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline
            ],
            indices=indices,
            test_mode=test_mode,
            lazy_init=lazy_init,
        )

    @classmethod
    def _load_metainfo(cls, metainfo: dict[str, Any] | None = None) -> dict[str, Any]:
        # MMEngine's takes every text for the name of a file, and warns when there is none.
        return {**cls.METAINFO, **(metainfo or {})}

    @abstractmethod
    def decode(self, info: Mapping[str, Any]) -> tuple[Image, ...]:
        """Return the `IMAGES` images of an entry, RGB (H, W, 3), uint8."""

    @property
    def root(self) -> Path:
        """Folder of the data set."""
        return Path(self.data_root)

    @property
    def names(self) -> list[str]:
        """Names of the samples, in their order."""
        if not self._fully_initialized:
            self.full_init()
        return list(self._names)

    def full_init(self) -> None:
        """Find and verify the images; called when the data set is made unless `lazy_init` is set."""
        if self._fully_initialized:
            return
        super().full_init()
        infos = [self.get_data_info(index) for index in range(len(self))]
        self._names = [info['name'] for info in infos]
        if self.cache:
            sizes = [info['size'] for info in infos]
            self._memory = ImageCache(sizes, int(self.cache_limit_gib * 2**30), self.IMAGES)

    def __getitem__(self, idx: int) -> dict[str, Any]:
        """Return the sample `idx` after the pipeline; a plain index counts as its own draw.

        Raises:
            UserError: A file cannot be read any more, or a transform gave nothing.
        """
        if not self._fully_initialized:
            self.full_init()
        draw = idx if isinstance(idx, Draw) else Draw(idx, int(idx) % len(self))
        with seeded(self.seed if draw.seed is None else draw.seed, draw.draw):
            sample = self.prepare_data(int(idx))
        if sample is None:
            info = self.get_data_info(int(idx))
            raise UserError(
                f'{info["img_path"]}: a transform of the pipeline gave no sample for this image. '
                f'Check the pipeline of {type(self).__name__}.'
            )
        return sample

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on the sample `idx`; its entry gets `read_images`, which decodes."""
        info = self.get_data_info(idx)
        info['read_images'] = lambda: self._images_of(info)
        return self.pipeline(info)

    def _images_of(self, info: Mapping[str, Any]) -> tuple[Image, ...]:
        if self._memory is None:
            return self.decode(info)
        return self._memory.get(info['sample_idx'], lambda: self.decode(info))
