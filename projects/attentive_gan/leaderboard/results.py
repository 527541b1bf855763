"""Result of an entry as a file, from which table and page are made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_csv, to_json

from .cost import Cost, CostSetting
from .data import DatasetInfo
from .outputs import IMAGES
from .scoring import Record, Scoring
from .statistics import Mean

#: Folder of the entries' folders below a leaderboard's.
ENTRIES = 'entries'
RESULT = 'result.json'
SCORES_CSV = 'scores.csv'
#: Version of the file's layout. Version 0.1.0 of this project wrote layout 1, which is converted.
LAYOUT = 2


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
    kind: str
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
        return not self.reason and self.kind in ('config', 'folder')

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


def read_result(path: Path) -> EntryResult:
    """Read a result of this version or of version 0.1.0.

    Version 0.1.0 named the folder of the images `pictures`; it is renamed to `images`.

    Args:
        path: A file that `EntryResult.write` wrote.

    Raises:
        UserError: It is not a result, or of a later version.
    """
    try:
        content = json.loads(path.read_text('utf-8'))
        layout = content.pop('layout')
        if layout == 1:
            _convert_layout_1(content, path.parent)
        elif layout != LAYOUT:
            raise UserError(
                f'{path} has layout {layout}, this version reads 1 and {LAYOUT}; update '
                'attentive_gan, or remove its folder and run again'
            )
        return _parse(content)
    except UserError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f'{path} is not a result ({error}); remove its folder') from error


def _convert_layout_1(content: dict[str, Any], folder: Path) -> None:
    """Convert the content of a result of version 0.1.0, and rename its folder of images."""
    old, new = folder / 'pictures', folder / IMAGES
    if old.is_dir() and not new.exists():
        old.rename(new)
    for counted in (content['data'], *content['means'].values()):
        if 'pictures' in counted:
            counted['images'] = counted.pop('pictures')
    content['run'] = content.pop('made')
    source = content['source']
    own = {key: source.pop(key) for key in list(source) if key in SourceInfo.__annotations__}
    content['source'] = {**own, 'identity': source}


def _parse(content: dict[str, Any]) -> EntryResult:
    """Build a result from JSON; null stands for infinity in scores."""
    cost = content['cost']
    return EntryResult(
        **{
            **content,
            'source': SourceInfo(**content['source']),
            'data': DatasetInfo(**content['data']),
            'scoring': Scoring(**content['scoring']),
            'run': RunInfo(**content['run']),
            'means': {key: Mean(**_with_infinity(mean)) for key, mean in content['means'].items()},
            'records': [_with_infinity(record) for record in content['records']],
            'cost': cost and Cost(**{**cost, 'setting': CostSetting(**cost['setting'])}),
        }
    )


def _with_infinity(row: dict[str, Any]) -> dict[str, Any]:
    return {key: float('inf') if value is None else value for key, value in row.items()}


def read_results(out: Path) -> tuple[list[EntryResult], list[str]]:
    """Read all results of a leaderboard.

    Args:
        out: Folder of the leaderboard.

    Returns:
        The results by name, and messages about files that are none.
    """
    results, faults = [], []
    for path in sorted((out / ENTRIES).glob(f'*/{RESULT}')):
        try:
            results.append(read_result(path))
        except UserError as error:  # noqa: PERF203 -- each file has its own fault
            faults.append(str(error))
    return sorted(results, key=lambda result: result.name), faults
