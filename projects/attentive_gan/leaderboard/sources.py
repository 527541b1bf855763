"""Sources of an entry's predictions: the rainy images, OpenCV's inpainting, or a folder of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from torch import nn

from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.pairing import Pair
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image
from attentive_gan.utils.digests import digest
from attentive_gan.utils.types import ImageArray

from .data import BenchmarkData
from .result_names import match_results

#: Radius in pixels of the neighbourhood that inpainting takes colours from.
INPAINTING_RADIUS = 3


class Prediction(NamedTuple):
    """Output of a source for one pair.

    Attributes:
        image: Restored image, RGB (H, W, 3) uint8.
        attention: Attention map, coloured likewise, or None.
    """

    image: ImageArray
    attention: ImageArray | None = None


class PredictionSource(ABC):
    """Provides the restored image of each pair.

    Attributes:
        network: Network whose cost is measured, or None.
        config_text: Complete config of the network, or None.
    """

    network: nn.Module | None = None
    config_text: str | None = None

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return everything that determines the images, except the data set, as JSON values."""

    @abstractmethod
    def predict(self, pair: Pair) -> Prediction:
        """Return the prediction for a pair.

        Raises:
            UserError: The image cannot be made or read.
        """

    def notes(self) -> list[str]:
        """Return remarks for readers of the row."""
        return []


class InputSource(PredictionSource):
    """The rainy images themselves.

    Args:
        data: Data set.
    """

    def __init__(self, data: BenchmarkData) -> None:
        self.data = data

    def identity(self) -> dict[str, Any]:
        """Return the kind of the source."""
        return {'kind': 'input'}

    def predict(self, pair: Pair) -> Prediction:
        """Return the rainy image."""
        return Prediction(self.data.read(pair)[0])


class InpaintingSource(PredictionSource):
    """OpenCV's inpainting of the true mask: what is possible without learning if the mask were known.

    Args:
        data: Data set; its clean images give the masks (mean difference above 30, dilated by 3, the
            defaults of `raindrop_mask`).
        method: 'telea' (Telea 2004) or 'ns' (Bertalmio et al. 2001).
    """

    def __init__(self, data: BenchmarkData, method: str) -> None:
        self.data = data
        self.method = method

    def identity(self) -> dict[str, Any]:
        """Return method, radius and the version of OpenCV."""
        return {
            'kind': 'inpainting', 'method': self.method, 'radius': INPAINTING_RADIUS,
            'mask': 'mean > 30, dilation 3', 'opencv': cv2.__version__,
        }  # fmt: skip

    def predict(self, pair: Pair) -> Prediction:
        """Return the rainy image with its true mask filled."""
        rainy, clean = self.data.read(pair)
        flag = {'telea': cv2.INPAINT_TELEA, 'ns': cv2.INPAINT_NS}[self.method]
        mask = raindrop_mask(rainy, clean)
        filled = cv2.inpaint(np.ascontiguousarray(rainy), mask, INPAINTING_RADIUS, flag)
        return Prediction(np.asarray(filled, np.uint8))

    def notes(self) -> list[str]:
        """Return what is filled."""
        return ['OpenCV fills where rainy and clean differ by more than 30, widened by a pixel']


class FolderSource(PredictionSource):
    """A folder of restored images.

    `match_results` says which image belongs to which pair.

    Args:
        data: Data set.
        folder: Folder of the images, in any format that `read_image` reads.

    Raises:
        UserError: The folder is missing, or has none or several files for a pair.
    """

    def __init__(self, data: BenchmarkData, folder: str) -> None:
        if not Path(folder).is_dir():
            raise UserError(f'{folder} is not a folder; give a folder of restored images')
        self.sizes = data.sizes
        self.matched = match_results(data.pairs, Path(folder))

    def identity(self) -> dict[str, Any]:
        """Return the SHA-256 of every file; all files are read."""
        digests = {name: digest(path) for name, path in self.matched.files.items()}
        return {'kind': 'folder', 'files': digests}

    def predict(self, pair: Pair) -> Prediction:
        """Return the file's image, which must have the pair's size."""
        path = self.matched.files[pair.name]
        image = read_image(path)
        height, width = self.sizes[pair.name]
        if image.shape[:2] != (height, width):
            raise UserError(
                f'{path} is {image.shape[1]}x{image.shape[0]}, the data set has '
                f'{width}x{height}; nothing is resized or cropped here'
            )
        return Prediction(image)

    def notes(self) -> list[str]:
        """Return how names were matched, and how many files are lossy or left over."""
        files, unused, rule = self.matched
        lossy = sum(file.suffix.lower() in ('.jpg', '.jpeg') for file in files.values())
        return [
            *([f'{lossy} of its files are JPEG'] if lossy else []),
            *([f'{unused} files belong to no pair'] if unused else []),
            *([rule] if rule else []),
        ]
