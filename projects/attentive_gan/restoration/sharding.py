"""Shards: the part of the files that one of several processes or machines restores."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from attentive_gan.errors import UserError

T = TypeVar('T')

#: Environment variables of launchers: rank, number of processes, rank on this machine.
_LAUNCHERS = (
    ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),  # torchrun
    # Of the step that srun started; SLURM_NTASKS is set in a batch script too, which is one process.
    ('SLURM_PROCID', 'SLURM_STEP_NUM_TASKS', 'SLURM_LOCALID'),
)


@dataclass(frozen=True)
class Shard:
    """Part `number` of `count`.

    Example:
        >>> Shard(2, 3).of('abcdefg')
        ['b', 'e']
    """

    number: int = 1
    """From 1."""
    count: int = 1
    """Number of parts."""
    local: int | None = None
    """Rank on this machine, from 0, which chooses the GPU; None without a launcher."""

    def of(self, items: Sequence[T]) -> list[T]:
        """Return this part of a list: every `count`-th item, so that parts take about equally long."""
        return list(items[self.number - 1 :: self.count])


def parse_shard(text: str) -> Shard:
    """Parse K/N.

    Raises:
        UserError: The text has another form.
    """
    match = re.fullmatch(r'(\d+)/(\d+)', text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UserError(f'--shard {text}: expected K/N with K from 1 to N, such as 2/8')
    return Shard(int(match[1]), int(match[2]))


def shard_of_launcher(environment: Mapping[str, str] = os.environ) -> Shard:
    """Return the shard of this process under torchrun or Slurm; everything without a launcher.

    Args:
        environment: Environment variables.
    """
    for rank, size, local in _LAUNCHERS:
        if rank in environment and size in environment:
            place = int(environment[local]) if local in environment else None
            return Shard(int(environment[rank]) + 1, int(environment[size]), place)
    return Shard()
