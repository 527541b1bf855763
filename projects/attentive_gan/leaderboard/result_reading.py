"""Reading of results. Their files may come from others: a result is complete and consistent, or refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.strict_json import one_line, read_json
from attentive_gan.utils.typed_values import build

from .cost import Cost
from .outputs import IMAGES
from .results import ENTRIES, LAYOUT, RESULT, EntryResult, SourceInfo, folder_of, may_name_entry
from .scoring import MORE_SCORES, RANKED_BY, Record
from .statistics import Mean

#: Fields of a record that are no scores.
_RECORD_FIELDS: dict[str, type[Any]] = {'name': str, 'sha256': str, 'width': int, 'height': int}
#: Largest absolute score; a PSNR of 8-bit images is below 120 dB.
_LARGEST_SCORE = 1e6
_LARGEST_SIDE = 10**6
#: How far a stored mean may be from the mean of its records.
_TOLERANCE = 1e-6
_WORD = re.compile(r'[a-z0-9_]{1,40}')
_ADVICE = 'remove its folder'


def read_result(path: Path) -> EntryResult:
    """Read a result of this version or of version 0.1.0.

    Version 0.1.0 named the folder of the images `pictures`; it is renamed to `images`.

    Args:
        path: A file that `EntryResult.write` wrote.

    Raises:
        UserError: It is not a result, or of a later version.
    """
    content = read_json(path, 'a result', _ADVICE)
    try:
        if not isinstance(content, dict) or 'layout' not in content:
            raise ValueError('expected an object with "layout"')
        layout = content.pop('layout')
        if layout == 1:
            content = _from_layout_1(content)
        elif layout != LAYOUT:
            raise UserError(
                f'{shown(path)} has layout {layout!r:.20}, this version reads 1 and {LAYOUT}; update '
                'attentive_gan, or remove its folder and run again'
            )
        result = _parse(content, path.parent.name)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f'{shown(path)} is not a result ({one_line(error)}); {_ADVICE}') from error
    old, new = path.parent / 'pictures', path.parent / IMAGES
    if layout == 1 and old.is_dir() and not new.exists():
        old.rename(new)
    return result


def read_results(out: Path) -> tuple[list[EntryResult], list[tuple[str, str]]]:
    """Read all results of a leaderboard.

    Args:
        out: Folder of the leaderboard.

    Returns:
        The results by name, and folder and reason of each file that is none.
    """
    results: dict[str, EntryResult] = {}
    faults = []
    for path in sorted((out / ENTRIES).glob(f'*/{RESULT}')):
        try:
            result = read_result(path)
        except UserError as error:
            faults.append((shown(path.parent.name), str(error)))
            continue
        other = results.setdefault(result.name, result)
        if other is not result:
            # The folder follows from the name, so it tells which one is a copy.
            kept, copy = (
                (result, other) if result.folder == folder_of(result.name) else (other, result)
            )
            results[result.name] = kept
            where = shown(out / ENTRIES / copy.folder)
            faults.append((copy.folder, f'{where} has the name of {kept.folder}; {_ADVICE}'))
    return sorted(results.values(), key=lambda result: result.name), faults


def _from_layout_1(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a result of version 0.1.0 in the present layout."""
    for counted in (content['data'], *content['means'].values()):
        if 'pictures' in counted:
            counted['images'] = counted.pop('pictures')
    content['run'] = content.pop('made')
    source = content['source']
    own = {key: source.pop(key) for key in list(source) if key in SourceInfo.__annotations__}
    content['source'] = {**own, 'identity': source}
    return content


def _parse(content: dict[str, Any], folder: str) -> EntryResult:
    """Build a result from JSON and check that its parts agree; null stands for infinity in scores.

    Args:
        content: The file's object, without its layout.
        folder: Name of the folder that the file is in.

    Raises:
        ValueError: It is none.
    """
    plain = {**content, 'means': {}, 'records': []}
    result = build(EntryResult, plain)
    if not may_name_entry(result.name):
        raise ValueError('name: it cannot name an entry')
    if result.folder != folder:
        raise ValueError(f'folder: expected {folder}, the folder of the file')
    if not result.reason:
        result.records.extend(_records(content.get('records'), result.data.images))
        result.means.update(_means(content.get('means'), result.records))
    elif content.get('records') or content.get('means'):
        raise ValueError('records: a failed entry has none')
    _check_protocols(result)
    _check_source(result)
    if result.cost:
        _check_cost(result.cost)
    names = {record['name'] for record in result.records}
    if not names.issuperset(result.attention):
        raise ValueError('attention: it names images without a record')
    return result


def _records(value: Any, images: int) -> list[Record]:
    """Check the records: one per image, with unique names and the same finite scores."""
    records = [
        _record(row, f'records[{i}]') for i, row in enumerate(build(list[Any], value, 'records'))
    ]
    if not records or len(records) != images:
        raise ValueError(f'records: expected one for each of {images} images, got {len(records)}')
    if len({record['name'] for record in records}) < len(records):
        raise ValueError('records: two have the same name')
    if any(record.keys() != records[0].keys() for record in records):
        raise ValueError('records: they have different fields')
    return records


def _record(value: Any, where: str) -> Record:
    row = build(dict[str, Any], value, where)
    fixed = {
        key: build(kind, row.get(key), f'{where}.{key}') for key, kind in _RECORD_FIELDS.items()
    }
    name = fixed['name']
    if not name or '/' in name or '\0' in name or len(name) > 255:
        raise ValueError(f'{where}.name: expected the name of an image')
    if not all(0 < fixed[side] <= _LARGEST_SIDE for side in ('width', 'height')):
        raise ValueError(f'{where}: its size is out of range')
    return {**fixed, **_scores({k: v for k, v in row.items() if k not in fixed}, where)}


def _scores(row: Mapping[str, Any], where: str) -> dict[str, float]:
    """Check scores by name; null, which strict JSON has for infinity, becomes infinity."""
    found = {}
    for key, value in row.items():
        if not _WORD.fullmatch(key):
            raise ValueError(f'{where}: unexpected field {key[:40]!a}')
        number = math.inf if value is None else build(float, value, f'{where}.{key}')
        if value is not None and abs(number) > _LARGEST_SCORE:
            raise ValueError(f'{where}.{key}: the number is out of range')
        found[key] = number
    return found


def _means(value: Any, records: list[Record]) -> dict[str, Mean]:
    """Check the means: those of the records, for every score."""
    keys = [key for key in records[0] if key not in _RECORD_FIELDS]
    rows = build(dict[str, Any], value, 'means')
    if set(rows) != set(keys) or RANKED_BY not in keys:
        raise ValueError(f'means: expected one for each score of the records, and {RANKED_BY}')
    return {key: _mean(rows[key], key, [record[key] for record in records]) for key in keys}


def _mean(value: Any, key: str, scores: list[float]) -> Mean:
    where = f'means.{key}'
    row = build(dict[str, Any], value, where)
    images = build(int, row.get('images'), f'{where}.images')
    ends = {name: item for name, item in row.items() if name != 'images'}
    if set(ends) != {'mean', 'low', 'high'}:
        raise ValueError(f'{where}: expected mean, low, high and images')
    mean = Mean(**_scores(ends, where), images=images)
    finite = [score for score in scores if math.isfinite(score)]
    expected = sum(finite) / len(finite) if finite else math.inf
    same = mean.mean == expected or abs(mean.mean - expected) <= _TOLERANCE
    if not same or images != len(finite):
        raise ValueError(f'{where}: it is not the mean of the records')
    if not mean.low <= mean.high or (finite and not math.isfinite(mean.low + mean.high)):
        raise ValueError(f'{where}: low and high are no interval')
    return mean


def _check_protocols(result: EntryResult) -> None:
    """Check what the page shows of each protocol, and that each score has its protocol."""
    protocols = result.scoring.protocols
    for name, described in protocols.items():
        if not _WORD.fullmatch(name) or not {'description', 'source'} <= set(described):
            raise ValueError('scoring.protocols: expected description and source by name')
    scores = set(result.means) - set(MORE_SCORES)
    if {key.rpartition('_')[0] for key in scores} - set(protocols):
        raise ValueError('scoring.protocols: a protocol of the scores is missing')


def _check_source(result: EntryResult) -> None:
    """Check that a network's row names its config and weights."""
    hashes = {'config': ('weights_sha256', 'config_sha256'), 'weights': ('weights_sha256',)}
    if not result.reason:
        for key in hashes.get(result.kind, ()):
            build(str, result.source.identity.get(key), f'source.identity.{key}')


def _check_cost(cost: Cost) -> None:
    """Check that costs are positive and that measured ones name their machine."""
    setting = cost.setting
    if min(setting.width, setting.height, setting.repeat) < 1:
        raise ValueError('cost.setting: out of range')
    values = (cost.parameters, cost.gmacs, cost.milliseconds, cost.fastest_milliseconds,
              cost.slowest_milliseconds, cost.peak_gib)  # fmt: skip
    if any(value is not None and value < 0 for value in values):
        raise ValueError('cost: a value is negative')
    if cost.machine is not None:
        named = 'processor' if setting.device == 'cpu' else 'device'
        for key, kind in {named: str, 'dtype': str, 'threads': int}.items():
            build(kind, cost.machine.get(key), f'cost.machine.{key}')
