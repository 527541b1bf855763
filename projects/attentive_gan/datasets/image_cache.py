"""Decoded images in memory that worker processes share."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from attentive_gan.errors import UserError
from attentive_gan.utils.types import ImageArray

_GIB = 2**30


class ImageCache:
    """Decoded images in memory, each decoded once, by whichever process needs it first.

    The memory is one anonymous shared mapping, made before worker processes are forked: all of them read
    and fill the same pages, so its size does not grow with the number of workers. Pages that were never
    filled take no memory. Every process of a distributed run has a mapping of its own, and so has each
    worker that is spawned instead of forked.

    Args:
        sizes: (height, width) of each sample's images, in the order of the data set.
        limit: Largest size in bytes.
        images: Number of images of a sample, all of one size.

    Raises:
        UserError: The images need more than `limit`.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], limit: int, images: int = 2) -> None:
        self.sizes, self.limit, self.images = list(sizes), limit, images
        bytes_per_sample = [images * height * width * 3 for height, width in self.sizes]
        self.size = sum(bytes_per_sample)
        if self.size > limit:
            raise UserError(
                f'The decoded images of {len(self.sizes)} samples need {self.size / _GIB:.3g} GiB '
                f'of memory, more than cache_limit_gib={limit / _GIB:.3g}. Raise the limit or do not '
                f'cache them (cache=False).'
            )
        self._offsets = np.concatenate([[0], np.cumsum(bytes_per_sample, dtype=np.int64)])
        # All images, then a byte per sample that tells whether it is filled.
        memory = mmap.mmap(-1, max(self.size + len(self.sizes), 1))
        buffer = np.frombuffer(memory, np.uint8, self.size + len(self.sizes))
        self._images, self._filled = buffer[: self.size], buffer[self.size :]

    def __reduce__(self) -> tuple[type[ImageCache], tuple[Any, ...]]:
        """Start empty in a spawned process, to which the memory cannot be sent."""
        return type(self), (self.sizes, self.limit, self.images)

    def get(self, index: int, read: Callable[[], tuple[ImageArray, ...]]) -> tuple[ImageArray, ...]:
        """Return copies of a sample's decoded images.

        Args:
            index: Index of the sample.
            read: Decodes its images where no process has done it yet.

        Returns:
            The images, RGB (H, W, 3), uint8; the caller may change them.

        Raises:
            UserError: The images have another size than at the start.
        """
        height, width = self.sizes[index]
        slot = self._images[self._offsets[index] : self._offsets[index + 1]]
        stored = slot.reshape(self.images, height, width, 3)
        if not self._filled[index]:
            images = read()
            if images[0].shape != stored.shape[1:]:
                raise UserError(
                    f'sample {index} changed its size while it was in use: '
                    f'{width}x{height} at the start, '
                    f'{images[0].shape[1]}x{images[0].shape[0]} now.'
                )
            for place, image in zip(stored, images, strict=True):
                place[:] = image
            # Set last: another process may read at any moment, and must never get half a sample.
            self._filled[index] = 1
        return tuple(image.copy() for image in stored)
