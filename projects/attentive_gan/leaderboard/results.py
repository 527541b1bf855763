"""Result of an entry, and its file, from which table and page are made."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_csv, to_json

from .cost import Cost
from .data import DatasetInfo
from .scoring import Record, Scoring
from .statistics import Mean

#: Folder of the entries' folders below a leaderboard's.
ENTRIES = 'entries'
RESULT = 'result.json'
SCORES_CSV = 'scores.csv'
#: Version of the file's layout. Version 0.1.0 of this project wrote layout 1, which is converted.
LAYOUT = 2

#: Kinds of an entry's source (see `Entry`).
Kind = Literal['config', 'weights', 'folder', 'input', 'inpainting']
#: Longest name of an entry.
LONGEST_NAME = 80


@dataclass(frozen=True)
class SourceInfo:
    """Origin of an entry's images.

    Attributes:
        given_as: The entry as an argument of `--entry`.
        identity: Everything that determines the images: hashes, versions, method.
        identity_sha256: SHA-256 of the identity.
        config_text: Complete config of a network, or None.
    """

    given_as: str
    identity: dict[str, Any] = field(default_factory=dict)
    identity_sha256: str = ''
    config_text: str | None = None


@dataclass(frozen=True)
class RunInfo:
    """Time and machine of a run.

    Attributes:
        date: Local time with its offset.
        device: Name of the device.
        threads: Number of threads of torch.
        python: Version of Python.
        versions: Versions of the packages that a score depends on, by name.
    """

    date: str
    device: str
    threads: int
    python: str
    versions: dict[str, str]


@dataclass(frozen=True)
class EntryResult:
    """Result of one entry.

    Attributes:
        name: Name of the entry.
        kind: Kind of its source (see `Entry`).
        folder: Name of its folder below the leaderboard's.
        command: Command that makes the row again.
        source: Origin of the images.
        data: Data set.
        scoring: Protocols and versions.
        run: Time and machine.
        means: Mean of each score; empty where the entry failed.
        records: A record per image; empty where the entry failed.
        cost: Cost of the network; None without one.
        notes: Remarks for readers.
        attention: Names of the images with an attention map.
        reason: Why the entry failed; empty where it did not.
    """

    name: str
    kind: Kind
    folder: str
    command: str
    source: SourceInfo
    data: DatasetInfo
    scoring: Scoring
    run: RunInfo
    means: dict[str, Mean] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    cost: Cost | None = None
    notes: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    reason: str = ''

    @property
    def ranked(self) -> bool:
        """Whether the entry competes: it did not fail and is no reference line."""
        return not self.reason and self.kind in ('config', 'weights', 'folder')

    def values(self, key: str) -> list[float]:
        """Return a score of every image, in order."""
        return [record[key] for record in self.records]

    def write(self, out: Path) -> None:
        """Write `result.json`, and `scores.csv` where there are scores.

        Args:
            out: Folder of the leaderboard.

        Raises:
            UserError: A file cannot be written.
        """
        folder = out / ENTRIES / self.folder
        means = {key: mean._asdict() for key, mean in self.means.items()}
        write_text(folder / RESULT, to_json({'layout': LAYOUT, **asdict(self), 'means': means}))
        if self.records:
            write_text(folder / SCORES_CSV, to_csv(self.records))
        else:
            (folder / SCORES_CSV).unlink(missing_ok=True)


def may_name_entry(name: str) -> bool:
    """Return whether a text can name an entry: 1 to `LONGEST_NAME` printable characters."""
    return bool(name) and name.isprintable() and len(name) <= LONGEST_NAME


def folder_of(name: str) -> str:
    """Return the folder of an entry: its name if that is plain ASCII, else one with a hash."""
    plain = re.sub(r'[^A-Za-z0-9_.-]+', '-', name).strip('-.')[:40]
    if plain == name:
        return plain
    return f'{plain or "entry"}-{hashlib.sha256(name.encode()).hexdigest()[:8]}'
