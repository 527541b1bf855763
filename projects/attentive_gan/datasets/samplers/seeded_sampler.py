"""An endless sampler whose order and random numbers depend on the seed alone.

MMagic's transforms use the global random generators of `random` and NumPy. Left alone, these give other
crops for another number of workers, and cannot be resumed exactly. Here every sample drawn since
the start of training has a seed of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager

import numpy as np
import torch
from mmagic.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info, sync_random_seed
from numpy.typing import NDArray
from torch.utils.data import Sampler

from attentive_gan.errors import UserError


class SeededIndex(int):
    """Index into a data set, with the position that seeds the sample's random numbers.

    A sampler yields it in the place of a plain index. It passes through pickle to worker processes, and
    through MMEngine's `ConcatDataset` and `RepeatDataset`.

    Attributes:
        position: Number of samples drawn before it since the start of training, over all processes.
        seed: Seed of the run, or None to leave it to the data set.

    Example:
        >>> index = SeededIndex(3, position=17, seed=5)
        >>> index
        SeededIndex(3, position=17, seed=5)
        >>> 'abcd'[index]
        'd'
    """

    position: int
    seed: int | None

    def __new__(cls, index: int, position: int, seed: int | None = None) -> SeededIndex:
        """Make an index with a position."""
        made = super().__new__(cls, index)
        made.position = int(position)
        made.seed = None if seed is None else int(seed)
        return made

    def __getnewargs__(self) -> tuple[int, int, int | None]:  # type: ignore[override]
        """Return the arguments of `__new__` for unpickling."""
        return int(self), self.position, self.seed

    def __sub__(self, other: int) -> SeededIndex:
        """Keep the position where `ConcatDataset` computes the index within one of its parts."""
        return SeededIndex(int(self) - int(other), self.position, self.seed)

    def __mod__(self, other: int) -> SeededIndex:
        """Keep the position where `RepeatDataset` computes the index within the repeated data set."""
        return SeededIndex(int(self) % int(other), self.position, self.seed)

    def __repr__(self) -> str:
        return f'SeededIndex({int(self)}, position={self.position}, seed={self.seed})'


@contextmanager
def seeded_rng(seed: int, position: int) -> Iterator[None]:
    """Seed Python's, NumPy's and PyTorch's global generators (CPU); restore all three afterwards.

    Args:
        seed: Seed of the run, 0 or more.
        position: Position of the sample (see `SeededIndex`), 0 or more. Equal arguments give equal random
            numbers on every machine and in every process; different ones are independent (NumPy's
            SeedSequence).

    Raises:
        UserError: The seed or the position is negative.

    Example:
        >>> with seeded_rng(seed=1, position=2):
        ...     first = torch.rand(2)
        >>> with seeded_rng(seed=1, position=2):
        ...     assert torch.equal(torch.rand(2), first)
    """
    if seed < 0 or position < 0:
        raise UserError(
            f'seed and position must be 0 or more; got seed={seed}, position={position}.'
        )
    words = np.random.SeedSequence([seed, position]).generate_state(12).astype('<u4')
    outer_python = random.getstate()
    outer_numpy = np.random.get_state()  # noqa: NPY002 -- MMagic's transforms use the global one
    outer_torch = torch.get_rng_state()
    try:
        random.seed(words[:4].tobytes())
        np.random.seed(words[4:10])  # noqa: NPY002
        # Not torch.manual_seed: that would also seed CUDA, which a forked worker must not touch.
        torch.default_generator.manual_seed(int.from_bytes(words[10:].tobytes(), 'little') >> 1)
        yield
    finally:
        random.setstate(outer_python)
        np.random.set_state(outer_numpy)  # noqa: NPY002
        torch.set_rng_state(outer_torch)


@DATA_SAMPLERS.register_module()
class SeededSampler(Sampler[int]):
    """Yield samples endlessly, epoch after epoch, each epoch in an order of its own.

    Position n is sample `order(n // size)[n % size]`, where the order of an epoch depends on the seed and
    the epoch alone. A global batch takes consecutive positions and each process its own part of them, so
    that the data of iteration k does not depend on earlier runs.

    Args:
        dataset: Data set to sample from.
        shuffle: Whether each epoch has a random order.
        seed: Seed of the orders; None asks all processes for a common random one.

    Example:
        >>> sampler = SeededSampler(range(4), shuffle=False, seed=0)
        >>> sampler.start_at(iteration=3, batch_size=2)
        >>> next(iter(sampler))
        SeededIndex(2, position=6, seed=0)
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        self.size = len(dataset)
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.rank, self.world_size = get_dist_info()
        self.first_iteration = 0
        self._batch_size = 1
        self._orders: dict[str, tuple[int, NDArray[np.int64]]] = {}

    def start_at(self, iteration: int, batch_size: int) -> None:
        """Set where the next iterator begins.

        Args:
            iteration: Number of iterations that were trained already.
            batch_size: Samples in a batch of one process.
        """
        self.first_iteration = iteration
        self._batch_size = batch_size

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the order of the data set's indices in an epoch, shape (size,)."""
        if not self.shuffle:
            return np.arange(self.size)
        return np.random.default_rng([self.seed, epoch]).permutation(self.size)

    def index_at(self, position: int) -> int:
        """Return the index of the sample at a position; the last order is kept."""
        order = self._order_of('', position // self.size, self.order)
        return int(order[position % self.size])

    def _order_of(
        self, name: str, number: int, make: Callable[[int], NDArray[np.int64]]
    ) -> NDArray[np.int64]:
        """Return the order of a number under a name, made only when the number changes."""
        known = self._orders.get(name)
        if known is None or known[0] != number:
            known = self._orders[name] = (number, make(number))
        return known[1]

    def __iter__(self) -> Iterator[int]:
        """Yield a `SeededIndex` per sample, endlessly."""
        iteration = self.first_iteration
        while True:
            first = (iteration * self.world_size + self.rank) * self._batch_size
            for position in range(first, first + self._batch_size):
                yield SeededIndex(self.index_at(position), position, self.seed)
            iteration += 1

    def __len__(self) -> int:
        """Return the number of samples in an epoch."""
        return self.size
