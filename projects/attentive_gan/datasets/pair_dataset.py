"""What all data sets of rainy and clean images have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from attentive_gan.errors import UserError

from .image_dataset import ImageDataset
from .pair_reading import Image, read_pair
from .pairing import Fault, Pair, raise_faults, verify_pairs


class PairDataset(ImageDataset):
    """Pairs of a rainy image and its clean partner, verified when the data set is made.

    Every file's header and end are looked at, so that a missing, truncated or unequal image is
    told before any training. The arguments are those of `ImageDataset`; the first transform is usually
    `LoadRainyCleanPair`.

    A subclass finds the pairs: it implements `find_pairs`.

    Raises:
        UserError: The data set is missing, empty, unpaired, or an image cannot be used.
    """

    IMAGES = 2

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

    def decode(self, info: Mapping[str, Any]) -> tuple[Image, Image]:
        """Return the rainy and the clean image of an entry, RGB (H, W, 3), uint8."""
        return read_pair(info)
