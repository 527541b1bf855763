"""What makes the images of an entry, behind one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attentive_gan.datasets.pairing import Pair

from .data import BenchmarkData

Image = NDArray[np.uint8]


class PredictionSource(ABC):
    """Makes the restored image of a pair."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return all that decides the images, beside the data set; JSON values."""

    @abstractmethod
    def restore(self, pair: Pair) -> tuple[Image, Image | None]:
        """Return the restored image RGB (H, W, 3) uint8, and an attention map likewise or None.

        Raises:
            UserError: The image cannot be made.
        """

    def notes(self) -> list[str]:
        """Return what a reader of the row should know."""
        return []


def identity_of(restorer: PredictionSource, data: BenchmarkData) -> Mapping[str, Any]:
    """Return all that decides the images of an entry; images of another one are made anew."""
    return {**restorer.identity(), 'data_manifest_sha256': data.manifest_sha256}
