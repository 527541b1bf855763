"""Ranking of a leaderboard: ranks and paired differences, computed from result files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_csv, to_json

from .data import DatasetInfo
from .result_reading import read_results
from .results import EntryResult
from .scoring import MORE_SCORES, RANKED_BY, SCORES, Scoring
from .statistics import LEVEL, RESAMPLES, SEED, Mean, paired_difference


@dataclass(frozen=True)
class Row:
    """An entry with its rank.

    Attributes:
        result: Result of the entry.
        rank: Rank by `RANKED_BY`, from 1; None for reference lines.
        as_good_as_best: Whether the interval of its paired difference to the first holds 0.
        differences: Paired difference to the reference by score; empty where there is none.
    """

    result: EntryResult
    rank: int | None
    as_good_as_best: bool
    differences: dict[str, Mean]


@dataclass(frozen=True)
class Summary:
    """A leaderboard.

    Attributes:
        data: The data set of all rows.
        scoring: Protocols and versions of the reference, or of the first row without it.
        reference: Name of the entry that differences refer to.
        rows: The rows, ranked ones first.
        failed: Names and reasons of entries that are not ranked.
    """

    data: DatasetInfo
    scoring: Scoring
    reference: str
    rows: list[Row]
    failed: list[tuple[str, str]]


def summarize(out: Path, reference: str, manifest_sha256: str | None = None) -> Summary:
    """Rank all results in a folder.

    Args:
        out: Folder of the leaderboard.
        reference: Name of the entry that differences refer to.
        manifest_sha256: Hash of the data set that rows must have; None for that of the reference.

    Raises:
        UserError: There is no complete result.
    """
    results, faults = read_results(out)
    failed = list(faults)
    failed += [(result.name, result.reason) for result in results if result.reason]
    good = [result for result in results if not result.reason]
    if not good:
        reasons = ''.join(f'; {name}: {reason}' for name, reason in failed)
        raise UserError(f'{out} holds no complete result{reasons}')
    base = next((result for result in good if result.name == reference), None)
    manifest = manifest_sha256 or (base or good[0]).data.manifest_sha256
    same = [result for result in good if result.data.manifest_sha256 == manifest]
    names = [_names(result) for result in ([base] if base in same else same)]
    listed = max(names, key=names.count, default=None)
    kept = [result for result in same if _names(result) == listed]
    failed += [
        (result.name, f'scored on other images ({result.data.images} of '
         f'{result.data.root}); rows of different image lists are not mixed. Run it again on this '
         'data set, or use another --out')
        for result in good if result not in kept
    ]  # fmt: skip
    if base not in kept:
        failed.append((reference, 'the reference has no scores here, so there are no differences'))
        base = None
    if not kept:
        raise UserError(f'{out} holds no result of this data set; {failed[0][0]}: {failed[0][1]}')
    rows = _ranked(kept, base)
    shown = base or kept[0]
    return Summary(shown.data, shown.scoring, reference, rows, failed)


def _names(result: EntryResult) -> tuple[str, ...]:
    """Return the names of the scored images, which equal hashes of a data set imply."""
    return tuple(record['name'] for record in result.records)


def _ranked(results: Sequence[EntryResult], base: EntryResult | None) -> list[Row]:
    """Sort results by their mean score; reference lines have a place but no rank."""
    order = sorted(results, key=lambda result: result.means[RANKED_BY].mean, reverse=True)
    competing = [result for result in order if result.ranked]
    rows = []
    for result in order:
        differences = {
            key: paired_difference(result.values(key), base.values(key))
            for key in (result.means if base else ())
            if base and key in base.means
        }
        rank = competing.index(result) + 1 if result.ranked else None
        tied = result.ranked and _is_tied(result, competing[0])
        rows.append(Row(result, rank, tied, differences))
    return rows


def _is_tied(result: EntryResult, best: EntryResult) -> bool:
    """Return whether the interval of the paired difference of two entries holds 0."""
    if result is best:
        return True
    difference = paired_difference(result.values(RANKED_BY), best.values(RANKED_BY))
    return difference.low <= 0 <= difference.high


def write_summary(summary: Summary, out: Path) -> None:
    """Write `leaderboard.json` and `leaderboard.csv`.

    Args:
        summary: The leaderboard.
        out: Folder to write to.

    Raises:
        UserError: A file cannot be written.
    """
    rows = [table_row(row) for row in summary.rows]
    report = {
        'data': asdict(summary.data),
        'scoring': asdict(summary.scoring),
        'ranked_by': RANKED_BY,
        'reference': summary.reference,
        'intervals': f'{LEVEL:.0%} percentile bootstrap over images, {RESAMPLES} resamples, '
        f'seed {SEED}',
        'rows': rows,
        'failed': [{'name': name, 'reason': reason} for name, reason in summary.failed],
    }
    write_text(out / 'leaderboard.json', to_json(report))
    write_text(out / 'leaderboard.csv', to_csv(rows))


def table_row(row: Row) -> dict[str, Any]:
    """Return a row as flat columns, equal for all rows."""
    cells: dict[str, Any] = {
        'rank': row.rank,
        'name': row.result.name,
        'kind': row.result.kind,
        'data_set': row.result.data.name,
        'images': row.result.data.images,
    }
    for key in (*SCORES, *MORE_SCORES):
        mean, difference = row.result.means.get(key), row.differences.get(key)
        for name, value in (('', mean), ('_difference', difference)):
            cells[f'{key}{name}'] = value.mean if value else None
            cells[f'{key}{name}_low'] = value.low if value else None
            cells[f'{key}{name}_high'] = value.high if value else None
    cost = row.result.cost
    for key in ('parameters', 'gmacs', 'milliseconds', 'peak_gib'):
        cells[key] = getattr(cost, key, None)
    cells['cost_size'] = cost.setting.size if cost else None
    cells['cost_device'] = cost.setting.device if cost else None
    cells['weights_sha256'] = row.result.source.identity.get('weights_sha256')
    cells['command'] = row.result.command
    return cells
