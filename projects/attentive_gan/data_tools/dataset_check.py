"""A check of whole data sets, for `tools/dataset_converters/raindrop/check_dataset.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attentive_gan.datasets.pair_dataset import PairDataset
from attentive_gan.datasets.pairing import Fault, Pair
from attentive_gan.datasets.raindrop_dataset import RaindropDataset
from attentive_gan.errors import UserError
from attentive_gan.image_io import write_image
from attentive_gan.utils.manifest import MANIFEST, write_manifest

from .pair_inspection import (
    PairRecord,
    as_manifest,
    duplicate_faults,
    inspect_pair,
    manifest_faults,
    pair_faults,
    summary,
)
from .sheets import pair_sheet

#: Splits of the published data set.
SPLITS = ('train', 'test_a', 'test_b')

#: Wraps the loop over the pairs, to show progress; gets the loop and its length.
Progress = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass(frozen=True)
class CheckResult:
    """Result of a check."""

    records: list[PairRecord]
    """The pairs that could be decoded."""
    faults: list[Fault]
    """Everything that is wrong."""
    sound: list[Pair]
    """Files of the pairs that could be decoded, in the order of the records."""
    counts: list[int]
    """Number of pairs of each data set, also of those that could not be decoded."""

    def lines(self) -> Iterator[str]:
        """Yield one line per fault, then the statistics."""
        for fault in self.faults:
            yield f'fault: {fault.kind}: {fault.where} {fault.remedy}'.rstrip()
        for key, value in summary(self.records).items():
            yield f'{key}: {value}'

    def write(self, out: Path, rows: int) -> list[Path]:
        """Write `manifest.json` and, where there are sound pairs, `contact_sheet.png`.

        Args:
            out: Folder to write to.
            rows: Pairs on the sheet at most.

        Returns:
            The files that were written.
        """
        write_manifest(out / MANIFEST, as_manifest(self.records))
        if not self.sound:
            return [out / MANIFEST]
        sheet = write_image(out / 'contact_sheet.png', pair_sheet(self.sound, rows))
        return [out / MANIFEST, sheet]


def splits_of(data_root: Path) -> list[PairDataset]:
    """Return the data sets of the published layout in a folder: its splits, or itself.

    Args:
        data_root: Folder with train, test_a, test_b, or one of them.
    """
    present = [data_root / split for split in SPLITS if (data_root / split).is_dir()]
    return [RaindropDataset(str(root), lazy_init=True) for root in present or [data_root]]


def check(
    datasets: Sequence[PairDataset],
    data_root: Path,
    manifest: dict[str, Any] | None = None,
    progress: Progress = lambda loop, _: loop,
) -> CheckResult:
    """Decode and compare every pair of some data sets, and compare the data sets with each other.

    Args:
        datasets: Data sets made with `lazy_init=True`, whose folders are in `data_root`.
        data_root: Folder that holds all files.
        manifest: Record of an earlier check, to find files that have changed since.
        progress: Wraps the loop over the pairs.

    Raises:
        UserError: A folder of a data set is missing.
    """
    pairs: list[Pair] = []
    faults: list[Fault] = []
    counts = []
    for dataset in datasets:
        found, more = dataset.find_pairs()
        pairs += found
        counts.append(len(found))
        faults += more
        if not found:
            remedy = 'Put the data set there.'
            faults.append(Fault('no pairs in a folder', str(dataset.root), remedy))
    records: list[PairRecord] = []
    sound: list[Pair] = []
    for pair in progress(pairs, len(pairs)):
        try:
            record = inspect_pair(pair, data_root)
        except UserError as error:
            faults.append(Fault('an image cannot be used', str(error), ''))
            continue
        faults += pair_faults(record)
        records.append(record)
        sound.append(pair)
    faults += duplicate_faults(records)
    if manifest is not None:
        faults += manifest_faults(manifest, data_root)
    return CheckResult(records, faults, sound, counts)
