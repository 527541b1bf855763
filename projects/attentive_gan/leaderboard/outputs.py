"""Images of an entry on disk: written once, resumed after an interruption, never mixed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attentive_gan.datasets.pairing import Pair
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image, write_image
from attentive_gan.utils.digests import digest
from attentive_gan.utils.journal import Journal

from .data import BenchmarkData
from .sources import PredictionSource

#: Journal of the written images; its header is the identity of the entry.
JOURNAL = 'outputs.jsonl'
IMAGES = 'images'
ATTENTION = 'attention'

#: Wraps the loop over the pairs, to show progress.
Progress = Callable[[Iterable[Pair], int], Iterable[Pair]]


@dataclass(frozen=True)
class Outputs:
    """Written images of an entry.

    Attributes:
        folder: Folder of the entry.
        digests: SHA-256 of the PNG file by name of the pair.
        with_attention: Names of the pairs with an attention map.
    """

    folder: Path
    digests: dict[str, str]
    with_attention: list[str]

    def image(self, name: str) -> Path:
        """Return the file of a pair's restored image."""
        return self.folder / IMAGES / f'{name}.png'


def write_outputs(
    source: PredictionSource,
    identity: str,
    data: BenchmarkData,
    folder: Path,
    progress: Progress,
    log: Callable[[str], None],
) -> Outputs:
    """Write every restored image as 8-bit PNG; images of an earlier run with the same identity stay.

    Args:
        source: Provides the images.
        identity: Hash of everything that determines the images.
        data: Data set.
        folder: Folder of the entry.
        progress: Wraps the loop over the pairs.
        log: Called with one line when images are kept, or made again and why.

    Raises:
        UserError: An image cannot be made or written.
    """
    journal = Journal(folder / JOURNAL)
    done = _resume(journal, folder, identity, log)
    if done:
        log(f'{len(done)} of {len(data.pairs)} images are there already')
    journal.begin({'identity': identity}, done.values())
    for pair in progress(data.pairs, len(data.pairs)):
        if pair.name not in done:
            done[pair.name] = _write_one(source, pair, folder)
            journal.append(done[pair.name])
    names = [pair.name for pair in data.pairs]
    digests = {name: str(done[name]['sha256']) for name in names}
    return Outputs(folder, digests, [name for name in names if done[name]['attention']])


def equal_inputs(outputs: Outputs, data: BenchmarkData) -> bool:
    """Return whether every written image equals the rainy image of its pair, pixel by pixel.

    Args:
        outputs: The written images.
        data: Data set.

    Raises:
        UserError: An image cannot be read.
    """
    return all(
        np.array_equal(read_image(outputs.image(pair.name)), data.read(pair)[0])
        for pair in data.pairs
    )


def _write_one(source: PredictionSource, pair: Pair, folder: Path) -> dict[str, Any]:
    """Make and write one image; return its row in the journal."""
    image, attention = source.predict(pair)
    path = write_image(folder / IMAGES / f'{pair.name}.png', image)
    if attention is not None:
        write_image(folder / ATTENTION / f'{pair.name}.png', attention)
    return {'name': pair.name, 'sha256': digest(path), 'attention': attention is not None}


def _resume(
    journal: Journal, folder: Path, identity: str, log: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Return the journal's rows whose files are unchanged; remove images of another identity."""
    header, rows = journal.read()
    if header != {'identity': identity}:
        if header:
            log('config, weights, files, data or versions have changed: all images are made anew')
        _remove_images(folder)
        return {}
    kept = {}
    for row in rows:
        image, attention = (folder / kind / f'{row["name"]}.png' for kind in (IMAGES, ATTENTION))
        complete = image.is_file() and (attention.is_file() or not row['attention'])
        if complete and digest(image) == row['sha256']:
            kept[row['name']] = row
        else:
            log(f'{image.name} is missing or was changed: it is made anew')
    return kept


def _remove_images(folder: Path) -> None:
    """Remove the images of an entry."""
    for name in (IMAGES, ATTENTION):
        if (folder / name).is_dir():
            try:
                shutil.rmtree(folder / name)
            except OSError as error:
                raise UserError(f'{folder / name} cannot be removed ({error})') from error
