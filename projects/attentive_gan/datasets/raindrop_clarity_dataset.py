"""Raindrop Clarity: scenes behind drops, focused on the background or on the drops."""

from __future__ import annotations

import filecmp
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from mmagic.registry import DATASETS

from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image

from .pairing import Fault, Pair, require_folders
from .raindrop_dataset import PairFolderDataset

Focus = Literal['all', 'background', 'drops']

#: Threads that compare images; decoding does not hold Python's lock.
_THREADS = 8


@DATASETS.register_module()
class RaindropClarityDataset(PairFolderDataset):
    """A part of Raindrop Clarity, such as `DayRainDrop_Train`: `Drop` and `Clear` with folders of scenes.

    A photo is focused on the background where its image in `Blur` is that in `Clear`, and on the drops
    where it is not (analyse/cal_rf_bf.py of github.com/jinyeying/RaindropClarity).

    Args:
        focus: 'all' photos, or only those focused on the 'background' or on the 'drops'; the images of
            `Blur` are read for it, when the data set is made.
        **kwargs: Arguments of `PairFolderDataset`, except folders and templates.

    Raises:
        UserError: `focus` is none, `Blur` or an image of it is missing, or what `PairFolderDataset` raises.
    """

    LAYOUT = 'Drop, Blur and Clear with folders of scenes, such as Drop/00001/00001.png'

    def __init__(self, *, focus: Focus = 'all', **kwargs: Any) -> None:
        if focus not in get_args(Focus):
            raise UserError(f'focus must be one of {get_args(Focus)}; got {focus!r}.')
        self.focus: Focus = focus
        super().__init__(rainy='Drop', clean='Clear', **kwargs)

    def find_pairs(self) -> tuple[list[Pair], list[Fault]]:
        """Return the pairs of the chosen focus, and what is wrong with the folders."""
        pairs, faults = super().find_pairs()
        if self.focus == 'all':
            return pairs, faults
        require_folders(self.root, ('Blur',), self.LAYOUT)
        blurred = [
            self.root / 'Blur' / pair.clean.relative_to(self.root / 'Clear') for pair in pairs
        ]
        missing = [path for path in blurred if not path.is_file()]
        if missing:
            remedy = "Copy them, or set focus='all'."
            where = (path.relative_to(self.root).as_posix() for path in missing)
            return pairs, [
                *faults,
                *(Fault('images of Blur are missing', w, remedy) for w in where),
            ]
        with ThreadPoolExecutor(_THREADS) as pool:
            same = list(pool.map(_same_image, blurred, [pair.clean for pair in pairs]))
        wanted = self.focus == 'background'
        chosen = [pair for pair, equal in zip(pairs, same, strict=True) if equal == wanted]
        if pairs and not chosen:
            raise UserError(
                f'{self.root} has no image with focus {self.focus!r}; set focus to another'
            )
        return chosen, faults


def _same_image(first: Path, second: Path) -> bool:
    """Return whether two files hold the same pixels."""
    if filecmp.cmp(first, second, shallow=False):
        return True
    return np.array_equal(read_image(first), read_image(second))
