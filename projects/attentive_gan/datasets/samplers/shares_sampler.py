"""A sampler that mixes several data sets in given shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from mmagic.registry import DATA_SAMPLERS
from numpy.typing import NDArray

from attentive_gan.errors import UserError

from .seeded_sampler import SeededSampler

#: Positions in which the shares hold exactly, up to rounding.
BLOCK = 1000


@DATA_SAMPLERS.register_module()
class SharesSampler(SeededSampler):
    """A `SeededSampler` that takes given shares of its samples from each part of a `ConcatDataset`.

    Of every 1000 consecutive samples, the parts get their shares of 1000, in random order. Each part is
    gone through epoch after epoch of its own, in a new order each, so a small part is repeated more
    often than a large one, and no image of it more often than another. As in `SeededSampler`, the sample of
    a position depends on the seed alone: not on the number of workers or processes, nor on an
    interruption.

    Args:
        dataset: MMEngine's `ConcatDataset`.
        shares: Relative share of each of its parts, such as [0.5, 0.3, 0.2] or [5, 3, 2].
        shuffle: Whether the parts are mixed, and gone through, in random order.
        seed: Seed of the orders; None asks all processes for a common random one.

    Raises:
        UserError: There are not as many shares as parts, or one is not above 0, or less than a
            thousandth.

    Example:
        >>> from torch.utils.data import ConcatDataset
        >>> joined = ConcatDataset([range(3), range(7)])
        >>> sampler = SharesSampler(joined, shares=[0.75, 0.25], seed=1)
        >>> sum(sampler.index_at(position) < 3 for position in range(1000))
        750
    """

    def __init__(
        self, dataset: Any, shares: Sequence[float], shuffle: bool = True, seed: int | None = None
    ) -> None:
        super().__init__(dataset, shuffle, seed)
        ends = getattr(dataset, 'cumulative_sizes', None)
        if ends is None:
            raise UserError(
                f'train_dataloader.sampler SharesSampler needs a ConcatDataset, not a '
                f'{type(dataset).__name__}'
            )
        self.shares = [float(share) for share in shares]
        self.starts = [0, *ends[:-1]]
        self.sizes = [end - start for start, end in pairwise([0, *ends])]
        self.counts = _counts(self.shares, len(self.sizes))

    def index_at(self, position: int) -> int:
        """Return the index of the sample at a position."""
        block, place = divmod(position, BLOCK)
        # Both orders are kept until the block ends: parts, and how many of its part came before.
        part = int(self._order_of('parts', block, self._parts)[place])
        before = int(self._order_of('before', block, self._before)[place])
        number = block * self.counts[part] + before
        epoch, rank = divmod(number, self.sizes[part])
        order = self._order_of(f'part {part}', epoch, lambda epoch: self._order_in(part, epoch))
        return int(self.starts[part]) + int(order[rank])

    def _parts(self, block: int) -> NDArray[np.int64]:
        """Return the part of each position of a block."""
        parts = np.repeat(np.arange(len(self.counts)), self.counts)
        if not self.shuffle:
            # Evenly interleaved: the k-th of n samples of a part at (k + 1/2) / n.
            places = np.concatenate([(np.arange(n) + 0.5) / n for n in self.counts])
            return parts[np.argsort(places, kind='stable')]
        return np.random.default_rng([self.seed, block, len(parts)]).permutation(parts)

    def _before(self, block: int) -> NDArray[np.int64]:
        """Return for each position of a block how many of its part came before it."""
        parts = self._parts(block)
        before = np.empty_like(parts)
        for part in range(len(self.counts)):
            chosen = parts == part
            before[chosen] = np.arange(int(chosen.sum()))
        return before

    def _order_in(self, part: int, epoch: int) -> NDArray[np.int64]:
        """Return the order of a part's samples in one of its epochs."""
        if not self.shuffle:
            return np.arange(self.sizes[part])
        random = np.random.default_rng([self.seed, epoch, part, self.size])
        return random.permutation(self.sizes[part])


def _counts(shares: Sequence[float], parts: int) -> list[int]:
    """Return how many samples of a block each part gets; they sum to `BLOCK`.

    Raises:
        UserError: There are not as many shares as parts, or one is not above 0, or less than a
            thousandth.
    """
    if len(shares) != parts:
        raise UserError(
            f'train_dataloader.sampler.shares has {len(shares)} shares, but the ConcatDataset has '
            f'{parts} data sets; give one share for each'
        )
    if not all(math.isfinite(share) and share > 0 for share in shares):
        raise UserError(f'train_dataloader.sampler.shares must be numbers above 0; got {shares}')
    exact = np.asarray(shares) / sum(shares) * BLOCK
    counts = np.floor(exact).astype(int)
    largest = np.argsort(counts - exact, kind='stable')[: BLOCK - int(counts.sum())]
    counts[largest] += 1
    if not all(counts):
        raise UserError(
            f'train_dataloader.sampler.shares: the least is below a thousandth of all; got {shares}'
        )
    return [int(count) for count in counts]
