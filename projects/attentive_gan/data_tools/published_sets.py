"""Data sets by name: their parts and counts as published; docs/datasets.md has the sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attentive_gan.datasets import (
    PairFolderDataset,
    PairListDataset,
    RaindropClarityDataset,
    RaindropDataset,
    RainDSDataset,
)
from attentive_gan.datasets.pair_dataset import PairDataset
from attentive_gan.datasets.pairing import Fault
from attentive_gan.errors import UserError


@dataclass(frozen=True)
class PublishedPart:
    """A part of a data set."""

    folder: str
    """Its folder below that of the data set."""
    needs: str
    """File or folder below `folder` without which the part is not there."""
    kind: type[PairDataset]
    """Class that finds its pairs."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the class."""
    pairs: tuple[int, ...] = ()
    """Published counts of pairs, several where sources differ; none where no source states one."""

    def dataset(self, root: Path) -> PairDataset:
        """Return the data set, without reading its files."""
        return self.kind(data_root=str(root / self.folder), lazy_init=True, **self.options)


def _raindrop(folder: str, *pairs: int) -> PublishedPart:
    return PublishedPart(folder, 'data', RaindropDataset, {}, pairs)


def _clarity(folder: str, *pairs: int) -> PublishedPart:
    return PublishedPart(folder, 'Clear', RaindropClarityDataset, {}, pairs)


def _folders(folder: str, rainy: str, clean: str, *pairs: int) -> PublishedPart:
    options = {'rainy': rainy, 'clean': clean}
    return PublishedPart(folder, clean, PairFolderDataset, options, pairs)


def _listed(folder: str, list_file: str, *pairs: int) -> PublishedPart:
    return PublishedPart(folder, list_file, PairListDataset, {'list_file': list_file}, pairs)


#: Parts by name of the data set.
PUBLISHED: dict[str, tuple[PublishedPart, ...]] = {
    'raindrop': (
        _raindrop('train', 861),
        _raindrop('test_a', 58),
        _raindrop('test_b', 239, 249),
    ),
    'raindrop_clarity': (
        _clarity('DayRainDrop_Train', 4713),
        _clarity('NightRainDrop_Train', 8655),
        _clarity('DayRainDrop_Test', 729),
        _clarity('NightRainDrop_Test', 1089),
    ),
    'rainds': tuple(
        PublishedPart(folder, rain, RainDSDataset, {'rain': rain})
        for folder in (
            'RainDS_real/train_set', 'RainDS_real/test_set', 'RainDS_syn/train', 'RainDS_syn/test',
        )
        for rain in ('raindrop', 'rainstreak', 'rainstreak_raindrop')
    ),
    'uav_rain1k': (
        _folders('train', 'input', 'target', 800),
        _folders('test', 'input', 'target', 220),
    ),
    'allweather': (
        _listed('train', 'allweather.txt', 18_069),
        _listed('test', 'raindroptesta.txt', 58),
    ),
}  # fmt: skip


def published_parts(name: str, root: Path) -> tuple[list[PublishedPart], list[str]]:
    """Return the parts of a data set that are in a folder, and a line for each that is not.

    Args:
        name: Name of the data set in `PUBLISHED`.
        root: Folder of the data set.

    Raises:
        UserError: There is none of its parts.
    """
    parts = PUBLISHED[name]
    present = [part for part in parts if (root / part.folder / part.needs).exists()]
    if not present:
        places = ', '.join(f'{part.folder}/{part.needs}' for part in parts)
        raise UserError(f'{root} has no part of {name}; expected: {places} (docs/datasets.md)')
    absent = [part for part in parts if part not in present]
    return present, [f'not there: {part.folder}/{part.needs}' for part in absent]


def count_faults(parts: Sequence[PublishedPart], found: Sequence[int]) -> Iterator[Fault]:
    """Yield a fault for each part whose pairs are not as many as published.

    Args:
        parts: The parts.
        found: Their numbers of pairs.
    """
    for part, count in zip(parts, found, strict=True):
        if part.pairs and count not in part.pairs:
            stated = ' or '.join(map(str, part.pairs))
            where = f'{part.folder} has {count}, published are {stated}'
            remedy = 'Copy what is missing; scores on another number of images cannot be compared.'
            yield Fault('another number of pairs than published', where, remedy)
