"""What all data sets of rainy and clean pictures have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmagic.registry import TRANSFORMS
from mmengine.dataset import BaseDataset

from attentive_gan.errors import UserError

from .draws import Draw, seeded
from .pair_reading import PairCache, read_pair
from .pairing import Fault, Pair, raise_faults, verify_pairs


class PairDataset(BaseDataset):
    """Pairs of a rainy picture and its clean partner, verified when the data set is made.

    Every file's header and end are looked at, so that a missing, truncated or unequal picture is
    told before any training. A sample's randomness comes from (seed, draw) alone: its pipeline runs
    with the global random generators seeded for this draw. A sample is never replaced by another
    one.

    A subclass finds the pairs: it implements `find_pairs`.

    Args:
        data_root: Folder of the data set.
        pipeline: Transforms, or their configs; the first is usually `LoadRainyCleanPair`.
        seed: Seed of the samples' randomness, 0 or more, where the sampler's draws carry none.
        cache: Whether to keep decoded pairs in memory (see `PairCache`).
        cache_limit_gib: Largest memory for decoded pairs in GiB.
        metainfo: More entries for the data set's `metainfo`.
        indices: The first so many pairs, or the indices of the pairs to use; None for all.
        test_mode: Kept for the toolbox; samples are made in the same way in training and test.
        lazy_init: Whether to leave the search and verification of the files to the first use.

    Raises:
        UserError: The data set is missing, empty, unpaired, or a picture cannot be used.
    """

    METAINFO = {'task_name': 'raindrop removal'}

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
        self._memory: PairCache | None = None
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
    def find_pairs(self) -> tuple[list[Pair], list[Fault]]:
        """Return the pairs in their order, and what is wrong with the folders."""

    @property
    def root(self) -> Path:
        """Folder of the data set."""
        return Path(self.data_root)

    @property
    def names(self) -> list[str]:
        """Names of the pairs, in the order of the samples."""
        if not self._fully_initialized:
            self.full_init()
        return list(self._names)

    def full_init(self) -> None:
        """Find and verify the pairs; called when the data set is made unless `lazy_init` is set."""
        if self._fully_initialized:
            return
        super().full_init()
        infos = [self.get_data_info(index) for index in range(len(self))]
        self._names = [info['name'] for info in infos]
        if self.cache:
            sizes = [info['size'] for info in infos]
            self._memory = PairCache(sizes, int(self.cache_limit_gib * 2**30))

    def load_data_list(self) -> list[dict[str, Any]]:
        """Return one entry per pair: `img_path`, `gt_path`, `name`, `size` (H, W), `rainy_side`.

        Raises:
            UserError: There are no pairs, or any is faulty.
        """
        pairs, faults = self.find_pairs()
        if not pairs and not faults:
            raise UserError(
                f'{self.root} holds no pictures. '
                f'Put the data set there, or set data_root to its folder.'
            )
        sizes, more = verify_pairs(pairs)
        raise_faults(faults + more, self.root)
        return [
            {
                'img_path': str(pair.rainy),
                'gt_path': str(pair.clean),
                'name': pair.name,
                'size': sizes[pair.name],
                'rainy_side': pair.rainy_side,
            }
            for pair in pairs
        ]

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
                f'{info["img_path"]}: a transform of the pipeline gave no sample for this picture. '
                f'Check the pipeline of {type(self).__name__}.'
            )
        return sample

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on the sample `idx`, with pictures from memory where they are kept."""
        info = self.get_data_info(idx)
        if self._memory is not None:
            info['cached_pair'] = self._memory.get(info['sample_idx'], lambda: read_pair(info))
        return self.pipeline(info)
