"""Data set that all entries of a leaderboard are scored on, with its hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attentive_gan.datasets.pair_dataset import PairDataset
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.datasets.pairing import Pair, Side, raise_faults, verify_pairs
from attentive_gan.datasets.raindrop_dataset import (
    ConcatenatedPairDataset,
    PairFolderDataset,
    RaindropDataset,
)
from attentive_gan.errors import UserError
from attentive_gan.utils.digests import digest
from attentive_gan.utils.types import ImageArray

#: Folders of rainy and clean images that are found without options.
_FOLDERS = (('rainy', 'clean'), ('input', 'target'), ('Drop', 'Clear'))
LAYOUT = (
    'data/N_rain.png and gt/N_clean.png, or rainy/ and clean/, or input/ and target/, or Drop/ and '
    'Clear/'
)


@dataclass(frozen=True)
class Layout:
    """Layout of the pairs in a folder; by default one of the layouts in `LAYOUT`.

    Attributes:
        folders: Folders of the rainy and the clean images, or None.
        templates: Stems of their files, where `{}` stands for the name of the pair.
        rainy_side: Side of the rainy half where an image holds both, 'left' or 'right', or None.
    """

    folders: tuple[str, str] | None = None
    templates: tuple[str, str] = ('{}', '{}')
    rainy_side: Side | None = None

    @property
    def arguments(self) -> list[str]:
        """The layout as words of the command line."""
        if self.rainy_side:
            return ['--concatenated', self.rainy_side]
        return ['--folders', *self.folders, '--templates', *self.templates] if self.folders else []

    def dataset(self, root: str) -> PairDataset:
        """Return the data set in a folder, without reading its files.

        Args:
            root: Folder of the data set.

        Raises:
            UserError: The folder has no known layout, or a template has not exactly one `{}`.
        """
        if self.rainy_side:
            side = self.rainy_side
            return ConcatenatedPairDataset(rainy_side=side, data_root=root, lazy_init=True)
        if not self.folders and all((Path(root) / name).is_dir() for name in ('data', 'gt')):
            return RaindropDataset(root, lazy_init=True)
        present = [pair for pair in _FOLDERS if all((Path(root) / name).is_dir() for name in pair)]
        if not self.folders and not present:
            raise UserError(f'{root} holds no data set; expected {LAYOUT}, or give --folders')
        rainy, clean = self.folders or present[0]
        return PairFolderDataset(
            rainy=rainy, clean=clean, rainy_template=self.templates[0],
            clean_template=self.templates[1], data_root=root, lazy_init=True,
        )  # fmt: skip


@dataclass(frozen=True)
class DatasetInfo:
    """Description of a data set.

    Attributes:
        name: Name of the data set.
        root: Folder, as it was given.
        images: Number of pairs.
        image_list_sha256: SHA-256 of the names of the pairs.
        manifest_sha256: SHA-256 of names and contents.
    """

    name: str
    root: str
    images: int
    image_list_sha256: str
    manifest_sha256: str


@dataclass(frozen=True)
class BenchmarkData:
    """Pairs of rainy and clean images with their hashes.

    Attributes:
        root: Folder, as it was given.
        name: Name of the data set: the end of its path.
        layout: Layout of the pairs.
        pairs: The pairs in their order.
        sizes: (height, width) by name of the pair.
        digests: SHA-256 of the rainy and the clean file by name of the pair.
    """

    root: str
    name: str
    layout: Layout
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

    def read(self, pair: Pair) -> tuple[ImageArray, ImageArray]:
        """Return the rainy and the clean image of a pair, RGB (H, W, 3), uint8."""
        return read_pair(pair.entry())

    def describe(self) -> DatasetInfo:
        """Return the description that a result stores."""
        return DatasetInfo(
            self.name, self.root, len(self.pairs), self.image_list_sha256, self.manifest_sha256
        )

    def manifest(self) -> dict[str, Any]:
        """Return names and hashes of all files, from which the data set's hashes can be recomputed."""
        files = [
            {**asdict(pair), 'rainy': pair.rainy.name, 'clean': pair.clean.name,
             'rainy_sha256': self.digests[pair.name][0], 'clean_sha256': self.digests[pair.name][1],
             'size': list(self.sizes[pair.name])}
            for pair in self.pairs
        ]  # fmt: skip
        return {**asdict(self.describe()), 'files': files}


def open_data(root: str, layout: Layout | None = None) -> BenchmarkData:
    """Find and verify the pairs in a folder.

    Args:
        root: Folder of the data set.
        layout: Layout of the pairs.

    Raises:
        UserError: The folder is missing or empty, or a pair is faulty.
    """
    if not Path(root).is_dir():
        raise UserError(f'{root} does not exist; give the folder of a data set ({LAYOUT})')
    layout = layout or Layout()
    pairs, faults = layout.dataset(root).find_pairs()
    if not pairs and not faults:
        raise UserError(f'{root} holds no images')
    sizes, more = verify_pairs(pairs)
    raise_faults(faults + more, Path(root))
    digests = {pair.name: (digest(pair.rainy), digest(pair.clean)) for pair in pairs}
    return BenchmarkData(root, _name_of(Path(root)), layout, tuple(pairs), sizes, digests)


def _name_of(root: Path) -> str:
    """Return the last two parts of a path, since many sets have a test_a; a folder `data` is left out."""
    parent, name = root.resolve().parts[-2:]
    return name if parent in ('data', 'datasets', '/') else f'{parent}/{name}'


def _hash_lines(lines: Sequence[str]) -> str:
    return hashlib.sha256('\n'.join(lines).encode('utf-8', 'surrogateescape')).hexdigest()
