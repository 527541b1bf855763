"""Shares the work among processes and machines: who does which files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from attentive_gan.errors import UserError

T = TypeVar('T')

#: Variables of launchers: number of this process, number of all, number on this machine.
_LAUNCHERS = (
    ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),  # torchrun
    # Of the step that srun started; SLURM_NTASKS is set in a batch script too, which is one process.
    ('SLURM_PROCID', 'SLURM_STEP_NUM_TASKS', 'SLURM_LOCALID'),
)


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `count`."""

    number: int = 1
    count: int = 1
    local: int | None = None
    """Number on this machine, from 0, which chooses the GPU; None without a launcher."""

    def of(self, items: Sequence[T]) -> list[T]:
        """Return this part of a list: every `count`-th item, so that parts are about equally heavy."""
        return list(items[self.number - 1 :: self.count])


def parse_shard(text: str) -> Shard:
    """Read K/N.

    Raises:
        UserError: It is none.
    """
    match = re.fullmatch(r'(\d+)/(\d+)', text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UserError(f'--shard {text}: expected K/N with K from 1 to N, such as 2/8')
    return Shard(int(match[1]), int(match[2]))


def shard_of_launcher(environment: Mapping[str, str] = os.environ) -> Shard:
    """Return the part of this process under torchrun or Slurm; all of the work without a launcher.

    Args:
        environment: Variables of the process.
    """
    for rank, size, local in _LAUNCHERS:
        if rank in environment and size in environment:
            place = int(environment[local]) if local in environment else None
            return Shard(int(environment[rank]) + 1, int(environment[size]), place)
    return Shard()
