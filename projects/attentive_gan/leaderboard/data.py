"""The data set that all entries of a leaderboard are scored on, with its fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attentive_gan.datasets import PairFolderDataset, RaindropDataset
from attentive_gan.datasets.manifest import digest
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.datasets.pairing import Pair, raise_faults, verify_pairs
from attentive_gan.errors import UserError

Picture = NDArray[np.uint8]

#: Folders of rainy and clean pictures that are known without a config.
_FOLDERS = (('rainy', 'clean'), ('input', 'target'))
LAYOUT = 'data/N_rain.png and gt/N_clean.png, or rainy/ and clean/, or input/ and target/'


@dataclass(frozen=True)
class BenchmarkData:
    """Pairs of rainy and clean pictures, and what tells them from all others.

    Attributes:
        root: Folder, as it was given.
        name: Name of the data set, the folder's own.
        pairs: The pairs in their order.
        sizes: (height, width) by name of the pair.
        digests: SHA-256 of the rainy and the clean file by name of the pair.
    """

    root: str
    name: str
    pairs: tuple[Pair, ...]
    sizes: dict[str, tuple[int, int]]
    digests: dict[str, tuple[str, str]]

    @property
    def image_list_sha256(self) -> str:
        """SHA-256 of the names of the pairs in their order, one per line."""
        return _hash_lines([pair.name for pair in self.pairs])

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of names and contents: lines of name, digest of rainy, digest of clean."""
        return _hash_lines([' '.join((pair.name, *self.digests[pair.name])) for pair in self.pairs])

    def read(self, pair: Pair) -> tuple[Picture, Picture]:
        """Return the rainy and the clean picture of a pair, RGB (H, W, 3), uint8."""
        return read_pair(self.info(pair))

    def info(self, pair: Pair) -> dict[str, Any]:
        """Return a pair as an entry of a data set (see `PairDataset.load_data_list`)."""
        return {
            'img_path': str(pair.rainy), 'gt_path': str(pair.clean), 'name': pair.name,
            'size': self.sizes[pair.name], 'rainy_side': pair.rainy_side,
        }  # fmt: skip

    def describe(self) -> dict[str, Any]:
        """Return what a result records of its data."""
        return {
            'name': self.name,
            'root': self.root,
            'pictures': len(self.pairs),
            'image_list_sha256': self.image_list_sha256,
            'manifest_sha256': self.manifest_sha256,
        }

    def manifest(self) -> dict[str, Any]:
        """Return the record of all files, from which the hashes can be recomputed."""
        files = [
            {**asdict(pair), 'rainy': pair.rainy.name, 'clean': pair.clean.name,
             'rainy_sha256': self.digests[pair.name][0], 'clean_sha256': self.digests[pair.name][1],
             'size': list(self.sizes[pair.name])}
            for pair in self.pairs
        ]  # fmt: skip
        return {**self.describe(), 'files': files}


def open_data(root: str) -> BenchmarkData:
    """Find and verify the pairs in a folder.

    Args:
        root: Folder in one of the layouts of `LAYOUT`.

    Raises:
        UserError: The folder is missing or empty, or a pair is faulty.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise UserError(f'{root} does not exist; give the folder of a data set ({LAYOUT})')
    present = [pair for pair in _FOLDERS if all((folder / name).is_dir() for name in pair)]
    if (folder / 'data').is_dir() and (folder / 'gt').is_dir():
        pairs, faults = RaindropDataset(root, lazy_init=True).find_pairs()
    elif present:
        rainy, clean = present[0]
        dataset = PairFolderDataset(rainy=rainy, clean=clean, data_root=root, lazy_init=True)
        pairs, faults = dataset.find_pairs()
    else:
        raise UserError(f'{root} holds no data set; expected {LAYOUT}')
    if not pairs and not faults:
        raise UserError(f'{root} holds no pictures')
    sizes, more = verify_pairs(pairs)
    raise_faults(faults + more, folder)
    digests = {pair.name: (digest(pair.rainy), digest(pair.clean)) for pair in pairs}
    return BenchmarkData(root, folder.resolve().name, tuple(pairs), sizes, digests)


def _hash_lines(lines: Sequence[str]) -> str:
    return hashlib.sha256('\n'.join(lines).encode('utf-8', 'surrogateescape')).hexdigest()
