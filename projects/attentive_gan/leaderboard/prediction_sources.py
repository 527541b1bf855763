"""Where the images of an entry come from: the data set, OpenCV, a folder, or a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.pairing import Pair, images_in
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image
from attentive_gan.utils.digests import digest

from .data import BenchmarkData
from .entries import Entry
from .network_source import NetworkSource
from .prediction_source import Image, PredictionSource

#: Radius in pixels of the neighbourhood that inpainting takes colours from.
INPAINTING_RADIUS = 3
#: How many missing files one message names.
_NAMED = 3


class Untouched(PredictionSource):
    """The rainy image itself."""

    def __init__(self, data: BenchmarkData) -> None:
        self.data = data

    def identity(self) -> dict[str, Any]:
        """Return that nothing else decides."""
        return {'kind': 'input'}

    def restore(self, pair: Pair) -> tuple[Image, None]:
        """Return the rainy image."""
        return self.data.read(pair)[0], None


class Inpainting(PredictionSource):
    """Fills the true mask by OpenCV: what is possible without learning, if one knew where drops are.

    Args:
        data: Data set, whose clean images give the masks (mean difference above 30, dilated by 3,
            as `raindrop_mask` does by default).
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

    def restore(self, pair: Pair) -> tuple[Image, None]:
        """Return the rainy image with its true mask filled."""
        rainy, clean = self.data.read(pair)
        flag = {'telea': cv2.INPAINT_TELEA, 'ns': cv2.INPAINT_NS}[self.method]
        mask = raindrop_mask(rainy, clean)
        filled = cv2.inpaint(np.ascontiguousarray(rainy), mask, INPAINTING_RADIUS, flag)
        return np.asarray(filled, np.uint8), None

    def notes(self) -> list[str]:
        """Say that this is no competitor."""
        return ['OpenCV fills where rainy and clean differ by more than 30, widened by a pixel']


class ImageFolder(PredictionSource):
    """Restored images from anywhere.

    An image belongs to a pair if its stem is the pair's name or that of its rainy or clean file.

    Args:
        data: Data set.
        folder: Folder of the images; any format that `read_image` reads.

    Raises:
        UserError: The folder is missing, or has none or several files for a pair.
    """

    def __init__(self, data: BenchmarkData, folder: str) -> None:
        if not Path(folder).is_dir():
            raise UserError(f'{folder} is not a folder; give a folder of restored images')
        self.files: dict[str, Path] = {}
        self._sizes = data.sizes
        by_stem: dict[str, list[Path]] = {}
        for file in images_in(Path(folder)):
            by_stem.setdefault(file.stem, []).append(file)
        missing = []
        for pair in data.pairs:
            stems = {pair.name, pair.rainy.stem, pair.clean.stem}
            found = [file for stem in sorted(stems) for file in by_stem.get(stem, [])]
            if len(found) > 1:
                raise UserError(
                    f'{folder} has {found[0].name} and {found[1].name} for one image, '
                    f'{pair.name}; remove one'
                )
            if found:
                self.files[pair.name] = found[0]
            else:
                missing.append(pair.rainy.stem)
        if missing:
            more = f' and {len(missing) - _NAMED} more' if len(missing) > _NAMED else ''
            raise UserError(
                f'{folder} lacks {len(missing)} of {len(data.pairs)} images: '
                f'{", ".join(missing[:_NAMED])}{more}; expected one file per rainy image, with its '
                'name'
            )
        self._unused = sum(map(len, by_stem.values())) - len(self.files)

    def identity(self) -> dict[str, Any]:
        """Return the digest of every file."""
        return {
            'kind': 'folder', 'files': {name: digest(path) for name, path in self.files.items()}
        }  # fmt: skip

    def restore(self, pair: Pair) -> tuple[Image, None]:
        """Return the file's image, which must have the pair's size."""
        image = read_image(self.files[pair.name])
        height, width = self._sizes[pair.name]
        if image.shape[:2] != (height, width):
            raise UserError(
                f'{self.files[pair.name]} is {image.shape[1]}x{image.shape[0]}, the data set has '
                f'{width}x{height}; nothing is resized or cropped here'
            )
        return image, None

    def notes(self) -> list[str]:
        """Say which files were lossy or left over."""
        lossy = sum(file.suffix.lower() in ('.jpg', '.jpeg') for file in self.files.values())
        notes = [f'{lossy} of its files are JPEG'] if lossy else []
        return notes + ([f'{self._unused} files belong to no pair'] if self._unused else [])


def build_source(entry: Entry, data: BenchmarkData, device: str) -> PredictionSource:
    """Build what makes the images of an entry.

    Args:
        entry: The entry.
        data: Data set.
        device: Where a network runs.

    Raises:
        UserError: A file is missing or does not fit.
    """
    if entry.kind == 'input':
        return Untouched(data)
    if entry.kind == 'inpainting':
        return Inpainting(data, entry.source)
    if entry.kind == 'folder':
        return ImageFolder(data, entry.source)
    return NetworkSource(data, entry.source, entry.checkpoint, device)
