"""The images of an entry on disk: written once, taken up again after a stop, never mixed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attentive_gan.datasets.pairing import Pair
from attentive_gan.errors import UserError
from attentive_gan.image_io import write_image
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.digests import digest

from .data import BenchmarkData
from .prediction_source import PredictionSource, identity_of

#: Record of what was written, one JSON value per line; the first is the identity of the entry.
JOURNAL = 'outputs.jsonl'
IMAGES = 'images'
ATTENTION = 'attention'

#: Wraps the loop over the pairs, to show progress.
Progress = Callable[[Iterable[Pair], int], Iterable[Pair]]


@dataclass(frozen=True)
class Outputs:
    """The written images of an entry.

    Attributes:
        folder: Folder of the entry.
        digests: SHA-256 of the PNG file by name of the pair.
        with_attention: Names of the pairs with an attention map.
    """

    folder: Path
    digests: dict[str, str]
    with_attention: tuple[str, ...]

    def image(self, name: str) -> Path:
        """Return the file of a pair's restored image."""
        return self.folder / IMAGES / f'{name}.png'


def identity_hash(identity: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an identity, whatever the order of its fields."""
    text = json.dumps(identity, sort_keys=True, default=str)
    return hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()


def write_outputs(
    restorer: PredictionSource,
    data: BenchmarkData,
    folder: Path,
    progress: Progress = lambda pairs, _: pairs,
    say: Callable[[str], None] = lambda _: None,
) -> Outputs:
    """Write every restored image as 8-bit PNG; those of an earlier run with the same identity stay.

    Args:
        restorer: Makes the images.
        data: Data set.
        folder: Folder of the entry.
        progress: Wraps the loop over the pairs.
        say: Told when images are taken over, or made anew and why.

    Raises:
        UserError: An image cannot be made or written.
    """
    identity = identity_hash(identity_of(restorer, data))
    done = _taken_up(folder, identity, say)
    journal = folder / JOURNAL
    if done:
        say(f'{len(done)} of {len(data.pairs)} images are there already')
    lines = [json.dumps({'identity': identity}), *(json.dumps(row) for row in done.values())]
    write_text(journal, '\n'.join(lines) + '\n')
    with journal.open('a', encoding='utf-8') as stream:
        for pair in progress(data.pairs, len(data.pairs)):
            if pair.name not in done:
                done[pair.name] = _write_one(restorer, pair, folder)
                stream.write(json.dumps(done[pair.name]) + '\n')
                stream.flush()
    digests = {pair.name: str(done[pair.name]['sha256']) for pair in data.pairs}
    mapped = tuple(pair.name for pair in data.pairs if done[pair.name]['attention'])
    return Outputs(folder, digests, mapped)


def _write_one(restorer: PredictionSource, pair: Pair, folder: Path) -> dict[str, Any]:
    """Make and write one image; return its line in the journal."""
    image, attention = restorer.restore(pair)
    path = write_image(folder / IMAGES / f'{pair.name}.png', image)
    if attention is not None:
        write_image(folder / ATTENTION / f'{pair.name}.png', attention)
    return {'name': pair.name, 'sha256': digest(path), 'attention': attention is not None}


def _taken_up(folder: Path, identity: str, say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Return the journal's rows whose files are as recorded; clear images of another identity."""
    rows = _journal_rows(folder / JOURNAL)
    if not rows:
        _clear(folder)
        return {}
    if rows[0].get('identity') != identity:
        say('config, weights, files, data or versions have changed: all images are made anew')
        _clear(folder)
        return {}
    sound = {}
    for row in rows[1:]:
        path = folder / IMAGES / f'{row["name"]}.png'
        mapped = folder / ATTENTION / f'{row["name"]}.png'
        complete = path.is_file() and (mapped.is_file() or not row['attention'])
        if complete and digest(path) == row['sha256']:
            sound[row['name']] = row
        else:
            say(f'{path.name} is missing or was changed: it is made anew')
    return sound


def _journal_rows(journal: Path) -> list[dict[str, Any]]:
    """Read a journal up to the line that a stop may have cut."""
    rows: list[dict[str, Any]] = []
    if not journal.is_file():
        return rows
    for line in journal.read_text('utf-8').splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            break
        expected = {'name', 'sha256', 'attention'} if rows else {'identity'}
        if not isinstance(row, dict) or set(row) != expected:
            break
        rows.append(row)
    return rows


def _clear(folder: Path) -> None:
    """Remove the images of an entry that are not its own any more."""
    for name in (IMAGES, ATTENTION):
        if (folder / name).is_dir():
            try:
                shutil.rmtree(folder / name)
            except OSError as error:
                raise UserError(f'{folder / name} cannot be removed ({error})') from error
