"""Crops of all images of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmagic.registry import TRANSFORMS

from attentive_gan.errors import UserError

from .base import Transform

#: Entries of a sample that are cropped, flipped and scaled together.
PAIR_KEYS = ('img', 'gt', 'mask', 'alpha', 'coverage')


def checked_size(crop_size: int | Sequence[int]) -> tuple[int, int]:
    """Return the (height, width) of a crop that is given as such, or as one number for both.

    Raises:
        UserError: It is neither, or below 1.
    """
    size = (crop_size, crop_size) if isinstance(crop_size, int) else tuple(crop_size)
    if len(size) != 2 or min(size) < 1:
        raise UserError(f'crop_size must be (height, width) of 1 or more; got {crop_size}.')
    return int(size[0]), int(size[1])


def random_window(
    size: tuple[int, int], crop_size: tuple[int, int], path: str | None, random: bool = True
) -> tuple[int, int, int, int]:
    """Return a window (top, left, height, width) within an image.

    Args:
        size: (height, width) of the image in pixels.
        crop_size: (height, width) of the window in pixels.
        path: Name of the image for messages.
        random: Whether the place is drawn from NumPy's global generator; otherwise it is the centre.

    Raises:
        UserError: The image is smaller than the window; the message names the file.
    """
    (height, width), (rows, columns) = size, crop_size
    if height < rows or width < columns:
        raise UserError(
            f'{path or "an image"} is {width}x{height}, smaller than the crop of {columns}x{rows}. '
            f'Use a smaller crop_size or larger images.'
        )
    top, left = (height - rows) // 2, (width - columns) // 2
    if random:
        top = np.random.randint(height - rows + 1)  # noqa: NPY002 -- seeded per sample
        left = np.random.randint(width - columns + 1)  # noqa: NPY002
    return top, left, rows, columns


@TRANSFORMS.register_module()
class PairedCrop(Transform):
    """Cut the same window out of all images of a sample.

    MMagic's `Crop` draws a window of its own for every key, and cuts less than asked where the
    image is smaller; this one does neither. The window is recorded as `crop_box` (top, left,
    height, width).

    Args:
        crop_size: (height, width) of the window, or one number for both, in pixels.
        keys: Which entries to cut; those that a sample does not have are left out.
        random: Whether the place is drawn from NumPy's global generator; otherwise it is the
            centre.

    Raises:
        UserError: An image is smaller than the window; the message names the file.

    Example:
        >>> sample = {'img': np.zeros((24, 36, 3), np.uint8), 'gt': np.zeros((24, 36, 3), np.uint8)}
        >>> sample = PairedCrop(16, random=False)(sample)
        >>> sample['img'].shape, sample['crop_box']
        ((16, 16, 3), (4, 10, 16, 16))
    """

    def __init__(
        self,
        crop_size: int | Sequence[int],
        keys: Sequence[str] = PAIR_KEYS,
        random: bool = True,
    ) -> None:
        self.crop_size = checked_size(crop_size)
        self.keys = tuple(keys)
        self.random = random

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cut all images of a sample."""
        keys = [key for key in self.keys if key in results]
        size = results[keys[0]].shape[:2]
        box = random_window(size, self.crop_size, results.get('img_path'), self.random)
        top, left, rows, columns = box
        for key in keys:
            results[key] = results[key][top : top + rows, left : left + columns]
        results['crop_box'] = box
        return results
