"""RainDS: scenes with raindrops, with rain streaks and with both, photographed and rendered."""

from __future__ import annotations

from typing import Any

from mmagic.registry import DATASETS

from attentive_gan.errors import UserError

from .pair_dataset import PairDataset
from .pairing import Fault, Keyed, Pair, images_in, keyed, match, require_folders

#: What the names of rendered images begin with, by folder.
_PREFIXES = {
    'raindrop': 'rd',
    'rainstreak': 'rain',
    'rainstreak_raindrop': 'rd-rain',
    'gt': 'norain',
}

#: Files of the published set without a clean image (in `RainDS_real/test_set/rainstreak`).
_STRAYS = ('IMG_7435',)


@DATASETS.register_module()
class RainDSDataset(PairDataset):
    """The layout in which RainDS is published.

    `data_root` is one of its splits, such as `RainDS_real/train_set`, with the folders `gt`, `raindrop`,
    `rainstreak` and `rainstreak_raindrop`. Photographed scenes have the same name in all, `N.png`; rendered
    ones are `norain-N.png` and `pie-norain-N.png` in `gt`, `rd-N.png` and `pie-rd-N.png` in `raindrop`,
    `rain-N.png` in `rainstreak` and `rd-rain-N.png` in `rainstreak_raindrop`. Clean images of which the
    chosen folder has no rainy one are left out, and so is the published `IMG_7435.png` without a clean one.

    Source: Quan et al., "Removing Raindrops and Rain Streaks in One Go", CVPR 2021.

    Args:
        rain: Folder of the rainy images.
        **kwargs: Arguments of `PairDataset`.

    Raises:
        UserError: `rain` is no such folder, or what `PairDataset` raises.
    """

    def __init__(self, *, rain: str = 'raindrop', **kwargs: Any) -> None:
        if rain not in _PREFIXES or rain == 'gt':
            there_are = ', '.join(name for name in _PREFIXES if name != 'gt')
            raise UserError(f'RainDSDataset: rain must be one of {there_are}; got {rain!r}.')
        self.rain = rain
        super().__init__(**kwargs)

    def find_pairs(self) -> tuple[list[Pair], list[Fault]]:
        """Return the pairs by name (`N` or `pie-N`), and what is wrong with the folders."""
        prefix = _PREFIXES[self.rain]
        layout = (
            f'{self.rain}/N.png and gt/N.png, or {self.rain}/{prefix}-N.png and gt/norain-N.png'
        )
        require_folders(self.root, (self.rain, 'gt'), layout)
        rainy, clean = self._keyed(self.rain), self._keyed('gt')
        wanted = set(rainy.partners.values())
        present = {key: file for key, file in clean.files.items() if key in wanted}
        pairs, unmatched = match(
            rainy, clean._replace(files=present), self.root / 'gt', self.root / self.rain
        )
        return pairs, rainy.faults + clean.faults + unmatched

    def _keyed(self, folder: str) -> Keyed:
        """Find the keys of a folder's files: `N` and `pie-N`, whichever way they are written."""
        groups: dict[str, list[Any]] = {'': [], 'pie-': []}
        for file in images_in(self.root / folder):
            if file.stem in _STRAYS:
                continue
            groups['pie-' if file.stem.startswith('pie-') else ''].append(file)
        found = Keyed({}, {}, [])
        for start, files in groups.items():
            plain = [file for file in files if not start and file.stem.isdigit()]
            other = [file for file in files if file not in plain]
            for template, some in (('{}', plain), (f'{start}{_PREFIXES[folder]}-{{}}', other)):
                part = keyed(some, template, numbered=True)
                for key, file in part.files.items():
                    name = f'{start}{key}'
                    if name in found.files:
                        where = f'{found.files[name].name} and {folder}/{file.name}'
                        fault = Fault('two files for one image', where, 'Remove one of each.')
                        found.faults.append(fault)
                    found.files[name], found.partners[name] = file, name
                found.faults.extend(part.faults)
        return found
