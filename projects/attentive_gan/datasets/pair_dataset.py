"""Base class of the data sets of rainy and clean images."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from attentive_gan.errors import UserError

from .image_dataset import ImageDataset
from .pairing import Fault, Pair, raise_faults, verify_pairs


class PairDataset(ImageDataset):
    """Pairs of a rainy image and its clean partner; a subclass implements `find_pairs`.

    Header and end of every file are read when the data set is made, so that missing, truncated and unequal
    images are reported before any training. The arguments are those of `ImageDataset`; the first transform
    is usually `LoadRainyCleanPair`.

    Raises:
        UserError: The data set is missing, empty, unpaired, or an image cannot be used.
    """

    @abstractmethod
    def find_pairs(self) -> tuple[list[Pair], list[Fault]]:
        """Return the pairs in their order, and what is wrong with the folders."""

    def load_data_list(self) -> list[dict[str, Any]]:
        """Return one entry per pair: `img_path`, `gt_path`, `name`, `size` (H, W), `rainy_side`.

        Raises:
            UserError: There are no pairs, or any is faulty.
        """
        pairs, faults = self.find_pairs()
        if not pairs and not faults:
            raise UserError(
                f'{self.root} holds no images. '
                f'Put the data set there, or set data_root to its folder.'
            )
        sizes, more = verify_pairs(pairs)
        raise_faults(faults + more, self.root)
        return [{**pair.entry(), 'size': sizes[pair.name]} for pair in pairs]
