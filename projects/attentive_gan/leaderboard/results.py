"""The result of an entry as a file, from which everything else is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_csv, to_json

from .statistics import Mean

#: Folder of the entries' folders below a leaderboard's.
ENTRIES = 'entries'
RESULT = 'result.json'
SCORES = 'scores.csv'
#: Version of the file's layout; files of another one are refused.
LAYOUT = 1


@dataclass(frozen=True)
class EntryResult:
    """What is known of one entry.

    Attributes:
        name: Name of the entry.
        kind: Where its images come from (see `Entry`).
        folder: Name of its folder below the leaderboard's.
        command: Command that makes the row anew.
        source: Where it comes from: paths, hashes, config text.
        data: The data set (see `BenchmarkData.describe`).
        scoring: Protocols and versions (see `scoring_facts`).
        made: Device, threads, date of the images and scores.
        means: Mean, low, high, count by score; empty where it failed.
        records: A record per image; empty where it failed.
        cost: See `measure_cost`.
        notes: What a reader should know.
        attention: Names of the images with an attention map.
        reason: Why it failed; empty where it did not.
    """

    name: str
    kind: str
    folder: str
    command: str
    source: dict[str, Any]
    data: dict[str, Any]
    scoring: dict[str, Any]
    made: dict[str, Any]
    means: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    cost: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    reason: str = ''

    @property
    def ranked(self) -> bool:
        """Whether the entry competes: it has all scores and is no reference line."""
        return not self.reason and self.kind in ('config', 'folder')

    def mean(self, key: str) -> Mean | None:
        """Return the mean of a score; infinite where all images equal the clean ones."""
        kept = self.means.get(key)
        if kept is None:
            return None
        parts = (kept[part] for part in ('mean', 'low', 'high'))
        mean, low, high = (np.inf if part is None else float(part) for part in parts)
        return Mean(mean, low, high, kept['images'])

    def values(self, key: str) -> list[float]:
        """Return a score of every image in order; infinite where JSON holds null."""
        return [np.inf if row[key] is None else float(row[key]) for row in self.records]

    def write(self, out: Path) -> None:
        """Write `result.json`, and `scores.csv` where there are scores.

        Args:
            out: Folder of the leaderboard.

        Raises:
            UserError: A file cannot be written.
        """
        folder = out / ENTRIES / self.folder
        content = {'layout': LAYOUT, **asdict(self)}
        write_text(folder / RESULT, to_json(content))
        if self.records:
            write_text(folder / SCORES, to_csv(self.records))
        else:
            (folder / SCORES).unlink(missing_ok=True)


def read_result(path: Path) -> EntryResult:
    """Read a result.

    Args:
        path: A file that `EntryResult.write` wrote.

    Raises:
        UserError: It is not one.
    """
    try:
        content = json.loads(path.read_text('utf-8'))
    except (OSError, ValueError) as error:
        raise UserError(f'{path} is not a result ({error}); remove its folder') from error
    if not isinstance(content, Mapping) or content.get('layout') != LAYOUT:
        raise UserError(f'{path} is not a result of this version; remove its folder')
    fields = {key: value for key, value in content.items() if key != 'layout'}
    try:
        return EntryResult(**fields)
    except TypeError as error:
        raise UserError(f'{path} is not a result ({error}); remove its folder') from error


def read_results(out: Path) -> tuple[list[EntryResult], list[str]]:
    """Read all results of a leaderboard.

    Args:
        out: Folder of the leaderboard.

    Returns:
        The results by name, and what is wrong with files that are none.
    """
    results, faults = [], []
    for path in sorted((out / ENTRIES).glob(f'*/{RESULT}')):
        try:
            results.append(read_result(path))
        except UserError as error:  # noqa: PERF203 -- each file has its own fault
            faults.append(str(error))
    return sorted(results, key=lambda result: result.name), faults
