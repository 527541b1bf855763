"""Base class of all data sets here: a list of samples, each with random numbers of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmagic.registry import TRANSFORMS
from mmengine.dataset import BaseDataset

from attentive_gan.errors import UserError
from attentive_gan.utils.checks import check_range

from .samplers.seeded_sampler import SeededIndex, seeded_rng
from .transforms.loading import ImageLoader


class ImageDataset(BaseDataset):
    """MMEngine's `BaseDataset` with reproducible samples; a subclass implements `load_data_list`.

    Entries have at least `img_path`, `name` and `size` (H, W); the first transform of the pipeline, such as
    `LoadRainyCleanPair`, decodes the images.

    A sample's random numbers depend on (seed, position) alone: its pipeline runs with the global random
    generators seeded for it. A plain index is its own position, so that a data set which is read in order,
    as in validation, gives the same samples every time. A sample is never replaced by another one.

    Args:
        data_root: Folder of the data set; empty where it needs no files.
        pipeline: Transforms, or their configs.
        seed: Seed of the samples' random numbers, 0 or more, where the sampler gives none.
        cache: Short for `use_cache=True` of the loading transform.
        cache_limit_gib: Largest memory for decoded images in GiB, with `cache`.
        metainfo: More entries for the data set's `metainfo`.
        indices: The first so many samples, or the indices of the samples to use; None for all.
        test_mode: MMEngine's option; samples are made in the same way in training and test.
        lazy_init: Whether to leave the search and verification of the files to the first use.

    Raises:
        UserError: The seed is negative, there is nothing to cache, or what `load_data_list` raises.
    """

    METAINFO = {'task_name': 'raindrop removal'}

    def __init__(
        self,
        data_root: str,
        pipeline: Sequence[dict[str, Any] | Callable[..., Any]] = (),
        *,
        seed: int = 0,
        cache: bool = False,
        cache_limit_gib: float = 8.0,
        metainfo: dict[str, Any] | None = None,
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
        lazy_init: bool = False,
    ) -> None:
        check_range(f'{type(self).__name__}: seed', seed, 0)
        self.seed = seed
        self.cache, self.cache_limit_gib = cache, cache_limit_gib
        # Built here, not by Compose: that looks names up in whatever scope happens to be active.
        steps = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        if cache and not any(isinstance(step, ImageLoader) for step in steps):
            raise UserError(
                f'{type(self).__name__}: cache=True needs LoadRainyCleanPair or LoadCleanImage in the '
                f'pipeline.'
            )
        super().__init__(
            metainfo={'dataset_name': Path(data_root).name, **(metainfo or {})},
            data_root=str(data_root),
            data_prefix={},
            pipeline=steps,
            indices=indices,
            test_mode=test_mode,
            lazy_init=lazy_init,
        )

    @classmethod
    def _load_metainfo(cls, metainfo: dict[str, Any] | None = None) -> dict[str, Any]:
        # MMEngine's takes every text for the name of a file, and warns when there is none.
        return {**cls.METAINFO, **(metainfo or {})}

    @property
    def root(self) -> Path:
        """Folder of the data set."""
        return Path(self.data_root)

    @property
    def names(self) -> list[str]:
        """Names of the samples, in their order."""
        return [self.get_data_info(index)['name'] for index in range(len(self))]

    def full_init(self) -> None:
        """Find and verify the images, and reserve the memory for those that are cached."""
        if not self._fully_initialized:
            super().full_init()
            self._reserve_memory()

    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep some of the samples, in place (see `BaseDataset`)."""
        super().get_subset_(indices)
        self._reserve_memory()

    def _reserve_memory(self) -> None:
        for place, step in enumerate(self.pipeline.transforms):
            if isinstance(step, ImageLoader) and (self.cache or step.use_cache):
                sizes = [self.get_data_info(index)['size'] for index in range(len(self))]
                limit = self.cache_limit_gib if self.cache else step.cache_limit_gib
                self.pipeline.transforms[place] = step.with_memory(sizes, limit)

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on the sample `idx`; a plain index counts as its own position.

        Raises:
            UserError: A file cannot be read any more, or a transform returned nothing.
        """
        index = idx if isinstance(idx, SeededIndex) else SeededIndex(idx, int(idx) % len(self))
        info = self.get_data_info(int(index))
        path = info['img_path']
        with seeded_rng(self.seed if index.seed is None else index.seed, index.position):
            sample = self.pipeline(info)
        if sample is None:
            raise UserError(
                f'{path}: a transform of the pipeline gave no sample for this image. '
                f'Check the pipeline of {type(self).__name__}.'
            )
        return sample
