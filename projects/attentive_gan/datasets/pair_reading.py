"""Decoding of a pair, and a memory of decoded pairs that worker processes share."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError
from attentive_gan.imaging import read_picture

Picture = NDArray[np.uint8]

_GIB = 2**30


def read_pair(info: Mapping[str, Any]) -> tuple[Picture, Picture]:
    """Decode the rainy and the clean picture of a sample.

    Args:
        info: A sample's entry with `img_path`, `gt_path` and, where both are halves of one picture,
            `rainy_side` ('left' or 'right').

    Returns:
        Rainy and clean picture, RGB (H, W, 3), uint8.

    Raises:
        UserError: A file cannot be read, or the two differ in size.
    """
    rainy = read_picture(info['img_path'])
    side = info.get('rainy_side')
    if side:
        half = rainy.shape[1] // 2
        left, right = rainy[:, :half], rainy[:, half:]
        rainy, clean = (left, right) if side == 'left' else (right, left)
    else:
        clean = read_picture(info['gt_path'])
    if rainy.shape != clean.shape:
        raise UserError(
            f'{info["img_path"]} is {rainy.shape[1]}x{rainy.shape[0]} but its clean partner '
            f'{info["gt_path"]} is {clean.shape[1]}x{clean.shape[0]}. Crop both to the same region.'
        )
    return rainy, clean


class PairCache:
    """Decoded pairs in memory, each decoded once, by whichever process needs it first.

    The memory is one anonymous shared mapping, made before worker processes are forked: they all
    see and fill the same pages, so its size does not grow with the number of workers. Pages that
    were never filled take no memory. Every process of a distributed run has a mapping of its own.
    Where workers are spawned instead of forked, each starts with an empty memory of its own.

    Args:
        sizes: (height, width) of each pair, in the order of the data set.
        limit: Largest size in bytes.

    Raises:
        UserError: The pairs need more than `limit`.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], limit: int) -> None:
        self.sizes = list(sizes)
        self.limit = limit
        bytes_per_pair = [2 * height * width * 3 for height, width in self.sizes]
        self.size = sum(bytes_per_pair)
        if self.size > limit:
            raise UserError(
                f'The {len(self.sizes)} decoded pairs need {self.size / _GIB:.3g} GiB of memory, '
                f'more than cache_limit_gib={limit / _GIB:.3g}. Raise the limit or set cache=False.'
            )
        self._offsets = np.concatenate([[0], np.cumsum(bytes_per_pair, dtype=np.int64)])
        self._open()

    def _open(self) -> None:
        """Reserve the memory: all pictures, then a byte per pair that says whether it is filled."""
        pairs = len(self.sizes)
        buffer = np.frombuffer(mmap.mmap(-1, max(self.size + pairs, 1)), np.uint8)
        self._pictures, self._filled = buffer[: self.size], buffer[self.size : self.size + pairs]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the memory behind: it cannot be sent to a spawned process."""
        return {'sizes': self.sizes, 'limit': self.limit}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state['sizes'], state['limit'])  # type: ignore[misc]

    def get(
        self, index: int, read: Callable[[], tuple[Picture, Picture]]
    ) -> tuple[Picture, Picture]:
        """Return copies of a decoded pair.

        Args:
            index: Index of the pair.
            read: Decodes the pair where no process has done it yet.

        Returns:
            Rainy and clean picture, RGB (H, W, 3), uint8; the caller may change them.
        """
        height, width = self.sizes[index]
        slot = self._pictures[self._offsets[index] : self._offsets[index + 1]]
        stored = slot.reshape(2, height, width, 3)
        if not self._filled[index]:
            rainy, clean = read()
            if rainy.shape != stored.shape[1:]:
                raise UserError(
                    f'pair {index} changed its size while it was in use: '
                    f'{width}x{height} at the start, {rainy.shape[1]}x{rainy.shape[0]} now.'
                )
            stored[0], stored[1] = rainy, clean
            # Set last: another process may look at any moment, and must never see half a pair.
            self._filled[index] = 1
        return stored[0].copy(), stored[1].copy()
