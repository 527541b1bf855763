"""An endless sampler whose position is a number, so that training resumes without reading old data."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np
from mmagic.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from .draws import Draw


@DATA_SAMPLERS.register_module()
class SeededSampler(Sampler[int]):
    """Draw samples for ever, epoch after epoch, each epoch in an order of its own.

    Draw number n is sample `order(n // size)[n % size]`, where the order of an epoch depends on the
    seed and the epoch alone. A global batch takes consecutive draws and each process its own part of
    them, so that the data of iteration k does not depend on how training got there.

    Args:
        dataset: Data set to draw from.
        shuffle: Whether each epoch has a random order.
        seed: Seed of the orders; None asks all processes for a common random one.
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        self.size = len(dataset)
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.rank, self.world_size = get_dist_info()
        self._first_iteration = 0
        self._batch_size = 1

    def start_at(self, iteration: int, batch_size: int) -> None:
        """Set where the next iterator begins.

        Args:
            iteration: Number of iterations that were trained already.
            batch_size: Samples in a batch of one process.
        """
        self._first_iteration = iteration
        self._batch_size = batch_size

    def order(self, epoch: int) -> np.ndarray:
        """Return the order of the data set's indices in an epoch, shape (size,)."""
        if not self.shuffle:
            return np.arange(self.size)
        return np.random.default_rng([self.seed, epoch]).permutation(self.size)

    def __iter__(self) -> Iterator[int]:
        """Yield `Draw` objects for ever."""
        epoch, order = -1, np.empty(0, dtype=int)
        iteration = self._first_iteration
        while True:
            first = (iteration * self.world_size + self.rank) * self._batch_size
            for draw in range(first, first + self._batch_size):
                if draw // self.size != epoch:
                    epoch = draw // self.size
                    order = self.order(epoch)
                yield Draw(int(order[draw % self.size]), draw, self.seed)
            iteration += 1

    def __len__(self) -> int:
        """Return the number of samples in an epoch."""
        return self.size
