"""Division of a data set into a part for training and one that is held out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from attentive_gan.errors import UserError
from attentive_gan.utils.checks import check_range

Part = Literal['all', 'train', 'held_out']


def check_part(part: str, held_out: int) -> None:
    """Raise if `part` is none, or nothing is held out.

    Raises:
        UserError: It is so.
    """
    if part not in get_args(Part):
        raise UserError(f'part must be one of {get_args(Part)}; got {part!r}.')
    check_range('held_out', held_out, 1)


def names_of_part(
    names: Sequence[str], part: Part, held_out: int, root: Path, what: str
) -> list[str]:
    """Return the names of a part, in their order.

    Which ones are held out depends on the names alone, not on their order.

    Args:
        names: Names of photos or scenes.
        part: 'all', 'train' without the held-out ones, or 'held_out' alone.
        held_out: Number that is held out; of fewer than five times as many, a fifth.
        root: Folder of the data set, for the message.
        what: What is divided, for the message.

    Raises:
        UserError: There is only one.

    Example:
        >>> names_of_part(['a', 'b', 'c'], 'held_out', 1, Path('photos'), 'photo')
        ['c']
    """
    if part == 'all':
        return list(names)
    if len(names) < 2:
        raise UserError(
            f'{root} holds one {what}, which cannot be divided into a part for training and one for '
            f"validation. Add {what}s, or set part='all'."
        )
    count = min(held_out, max(1, len(names) // 5))
    ranked = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    chosen = set(ranked[:count])
    return [name for name in names if (name in chosen) == (part == 'held_out')]
