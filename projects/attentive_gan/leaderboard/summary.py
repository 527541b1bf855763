"""The leaderboard itself: ranks and differences, from result files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_csv, to_json

from .results import EntryResult, read_results
from .scoring import SCORES
from .statistics import LEVEL, RESAMPLES, SEED, Mean, paired_difference

#: Score by which entries are ranked.
RANKED_BY = 'qian_psnr'


@dataclass(frozen=True)
class Row:
    """An entry with its place.

    Attributes:
        result: What is known of it.
        rank: Its place by `RANKED_BY`, from 1; None for reference lines.
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
        scoring: Protocols and versions of the first row.
        reference: Name of the entry that differences refer to.
        rows: The rows, ranked ones first.
        failed: Names and reasons of what is not ranked.
    """

    data: dict[str, Any]
    scoring: dict[str, Any]
    reference: str
    rows: list[Row]
    failed: list[tuple[str, str]]


def summarise(out: Path, reference: str, manifest_sha256: str | None = None) -> Summary:
    """Rank all results in a folder.

    Args:
        out: Folder of the leaderboard.
        reference: Name of the entry that differences refer to.
        manifest_sha256: Hash of the data set that rows must have; None for that of the reference.

    Raises:
        UserError: There is no result that can be shown.
    """
    results, faults = read_results(out)
    failed = [('unreadable', fault) for fault in faults]
    failed += [(result.name, result.reason) for result in results if result.reason]
    good = [result for result in results if not result.reason]
    if not good:
        said = ''.join(f'; {name}: {reason}' for name, reason in failed)
        raise UserError(f'{out} holds no complete result{said}')
    base = next((result for result in good if result.name == reference), None)
    manifest = manifest_sha256 or (base or good[0]).data['manifest_sha256']
    kept = [result for result in good if result.data['manifest_sha256'] == manifest]
    failed += [
        (result.name, f'scored on other images ({result.data["images"]} of '
         f'{result.data["root"]}); rows of different image lists are not mixed. Run it again on this '
         'data set, or use another --out')
        for result in good if result not in kept
    ]  # fmt: skip
    if base not in kept:
        failed.append((reference, 'the reference has no scores here, so there are no differences'))
        base = None
    if not kept:
        raise UserError(f'{out} holds no result of this data set; {failed[0][0]}: {failed[0][1]}')
    rows = _ranked(kept, base)
    return Summary(kept[0].data, kept[0].scoring, reference, rows, failed)


def _ranked(results: Sequence[EntryResult], base: EntryResult | None) -> list[Row]:
    """Order results by their mean score; reference lines keep their place without a number."""
    order = sorted(results, key=_mean_score, reverse=True)
    places = {result.name: place for place, result in enumerate(_competing(order), 1)}
    best = next(iter(_competing(order)), None)
    rows = []
    for result in order:
        keys = [key for key in result.means if base is not None and key in base.means]
        differences = {
            key: paired_difference(result.values(key), base.values(key)) for key in keys if base
        }
        tied = best is not None and result.ranked and _holds_zero(result, best)
        rows.append(Row(result, places.get(result.name), tied, differences))
    return rows


def _competing(results: Sequence[EntryResult]) -> list[EntryResult]:
    return [result for result in results if result.ranked]


def _mean_score(result: EntryResult) -> float:
    mean = result.mean(RANKED_BY)
    return mean.mean if mean else float('-inf')


def _holds_zero(result: EntryResult, best: EntryResult) -> bool:
    """Tell whether the images cannot tell two entries apart."""
    if result.name == best.name:
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
        'data': summary.data,
        'scoring': summary.scoring,
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
    """Return a row as plain columns; equal keys for all rows."""
    cells: dict[str, Any] = {
        'rank': row.rank,
        'name': row.result.name,
        'kind': row.result.kind,
        'data_set': row.result.data['name'],
        'images': row.result.data['images'],
    }
    for key in (*SCORES, 'lpips'):
        mean, difference = row.result.mean(key), row.differences.get(key)
        for name, value in (('', mean), ('_difference', difference)):
            cells[f'{key}{name}'] = value.mean if value else None
            cells[f'{key}{name}_low'] = value.low if value else None
            cells[f'{key}{name}_high'] = value.high if value else None
    cost = row.result.cost or {}
    for key in ('parameters', 'gmacs', 'milliseconds', 'peak_gib'):
        cells[key] = cost.get(key)
    setting = cost.get('setting')
    cells['cost_size'] = f'{setting["width"]}x{setting["height"]}' if setting else None
    cells['cost_device'] = setting['device'] if setting else None
    cells['weights_sha256'] = row.result.source.get('weights_sha256')
    cells['command'] = row.result.command
    return cells
