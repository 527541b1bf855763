"""Randomness of a sample that depends on its draw alone, not on the process that prepares it.

MMagic's transforms use the global random generators of `random` and NumPy. Left alone, these give
other crops for another number of workers, and cannot be continued after a resume. Here every draw
of a sample, counted from the start of training, has a seed of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from attentive_gan.errors import UserError


class Draw(int):
    """An index into a data set that knows how many draws came before it.

    A sampler yields it in the place of a plain index; it is one wherever an index is needed. It
    passes through pickle, so it reaches worker processes, and through MMEngine's `ConcatDataset`
    and `RepeatDataset`.

    Attributes:
        draw: Number of this draw since the start of training, from 0, over all processes.
        seed: Seed of the run, or None to leave it to the data set.
    """

    draw: int
    seed: int | None

    def __new__(cls, index: int, draw: int, seed: int | None = None) -> Draw:
        """Make the draw number `draw` of the sample `index`."""
        made = super().__new__(cls, index)
        made.draw = int(draw)
        made.seed = None if seed is None else int(seed)
        return made

    def __getnewargs__(self) -> tuple[int, int, int | None]:  # type: ignore[override]
        """Return what `__new__` needs after unpickling."""
        return int(self), self.draw, self.seed

    def __sub__(self, other: int) -> Draw:
        """Keep the draw where `ConcatDataset` finds the index within one of its parts."""
        return Draw(int(self) - int(other), self.draw, self.seed)

    def __mod__(self, other: int) -> Draw:
        """Keep the draw where `RepeatDataset` finds the index within the repeated data set."""
        return Draw(int(self) % int(other), self.draw, self.seed)

    def __repr__(self) -> str:
        return f'Draw(index={int(self)}, draw={self.draw}, seed={self.seed})'


@contextmanager
def seeded(seed: int, draw: int) -> Iterator[None]:
    """Seed Python's, NumPy's and PyTorch's global generators (CPU); restore all three afterwards.

    Args:
        seed: Seed of the run, 0 or more.
        draw: Number of the draw, 0 or more. Equal (seed, draw) give equal random numbers on every
            machine and in every process; different ones are independent (NumPy's SeedSequence).

    Raises:
        UserError: The seed or the draw is negative.
    """
    if seed < 0 or draw < 0:
        raise UserError(f'seed and draw must be 0 or more; got seed={seed}, draw={draw}.')
    words = np.random.SeedSequence([seed, draw]).generate_state(12).astype('<u4')
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
