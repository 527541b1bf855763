"""A memory of decoded images that worker processes share."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError

Image = NDArray[np.uint8]

_GIB = 2**30


class ImageCache:
    """Decoded images in memory, each decoded once, by whichever process needs it first.

    The memory is one anonymous shared mapping, made before worker processes are forked: they all
    see and fill the same pages, so its size does not grow with the number of workers. Pages that
    were never filled take no memory. Every process of a distributed run has a mapping of its own.
    Where workers are spawned instead of forked, each starts with an empty memory of its own.

    Args:
        sizes: (height, width) of each sample's images, in the order of the data set.
        limit: Largest size in bytes.
        images: Number of images of a sample, all of one size.

    Raises:
        UserError: The images need more than `limit`.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], limit: int, images: int = 2) -> None:
        self.sizes = list(sizes)
        self.limit = limit
        self.images = images
        bytes_per_sample = [images * height * width * 3 for height, width in self.sizes]
        self.size = sum(bytes_per_sample)
        if self.size > limit:
            raise UserError(
                f'The decoded images of {len(self.sizes)} samples need {self.size / _GIB:.3g} GiB '
                f'of memory, more than cache_limit_gib={limit / _GIB:.3g}. Raise the limit or set '
                f'cache=False.'
            )
        self._offsets = np.concatenate([[0], np.cumsum(bytes_per_sample, dtype=np.int64)])
        self._open()

    def _open(self) -> None:
        """Reserve the memory: all images, then a byte per sample that says whether it is filled."""
        samples = len(self.sizes)
        buffer = np.frombuffer(mmap.mmap(-1, max(self.size + samples, 1)), np.uint8)
        self._images, self._filled = buffer[: self.size], buffer[self.size : self.size + samples]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the memory behind: it cannot be sent to a spawned process."""
        return {'sizes': self.sizes, 'limit': self.limit, 'images': self.images}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def get(self, index: int, read: Callable[[], tuple[Image, ...]]) -> tuple[Image, ...]:
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
            read_now = read()
            if read_now[0].shape != stored.shape[1:]:
                raise UserError(
                    f'sample {index} changed its size while it was in use: '
                    f'{width}x{height} at the start, '
                    f'{read_now[0].shape[1]}x{read_now[0].shape[0]} now.'
                )
            for place, image in zip(stored, read_now, strict=True):
                place[:] = image
            # Set last: another process may look at any moment, and must never see half a sample.
            self._filled[index] = 1
        return tuple(image.copy() for image in stored)
