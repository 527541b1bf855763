"""Which restored image belongs to which pair, by the names of the files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from attentive_gan.datasets.pairing import Pair, images_in
from attentive_gan.errors import UserError

#: How many missing files one message names.
_NAMED = 3

#: Names that a result may have, from its pair.
_KEYS: tuple[Callable[[Pair], str], ...] = (
    lambda pair: pair.name,
    lambda pair: pair.rainy.stem,
    lambda pair: pair.clean.stem,
    lambda pair: f'{pair.rainy.parent.name}/{pair.rainy.stem}',
)


class MatchedResults(NamedTuple):
    """The restored image of every pair."""

    files: dict[str, Path]
    """File by name of the pair."""
    unused: int
    """Number of images that belong to no pair."""
    rule: str
    """How names were matched, or '' where they are those of the pairs."""


def match_results(pairs: Sequence[Pair], folder: Path) -> MatchedResults:
    """Find the restored image of every pair in a folder.

    A file belongs to a pair if its name without suffix is the pair's, that of its rainy or clean image, or,
    in folders of scenes, `scene/name`. If that leaves pairs without a file, names may have leading zeros
    more or less, and the same text before and after them in all files, such as `out_0007_restored.png` for
    `7`. Otherwise no file left over may be a pair's with other zeros, and no such rule may give every pair
    a file left over.

    Args:
        pairs: The pairs.
        folder: Folder of the images, or of folders of scenes.

    Raises:
        UserError: A pair has no file, or several; or several rules match all pairs.
    """
    files = _by_key(folder)
    kinds = [keys for key in _KEYS if len(set(keys := [key(pair) for pair in pairs])) == len(keys)]
    total = sum(map(len, files.values()))
    found = _exact(pairs, kinds, files, folder)
    missing = [pair for pair in pairs if pair.name not in found]
    if not missing:
        _refuse_others(pairs, kinds, files, found, folder)
        return MatchedResults(found, total - len(found), '')
    ruled = _by_rule(pairs, kinds, files, folder)
    if not ruled:
        raise UserError(_lacking(folder, pairs, missing))
    rule, found = next(iter(ruled.items()))
    for other, there in ruled.items():
        if there != found:
            name = next(name for name in found if found[name] != there[name])
            raise UserError(
                f'{folder}: {_both(folder, found[name], there[name])} may both be the result of {name} '
                f'(names {rule} or {other}); leave one file for each image'
            )
    return MatchedResults(found, total - len(found), f'names were matched as {rule}')


def _by_key(folder: Path) -> dict[str, list[Path]]:
    """Return the images of a folder by their path without suffix; those of its folders if it has none."""
    found: dict[str, list[Path]] = {}
    inner = sorted(child for child in folder.iterdir() if child.is_dir() and child.name[0] != '.')
    for place in [folder] if images_in(folder) else inner:
        for file in images_in(place):
            key = file.relative_to(folder).with_suffix('').as_posix()
            found.setdefault(key, []).append(file)
    return found


def _exact(
    pairs: Sequence[Pair],
    kinds: Sequence[Sequence[str]],
    files: Mapping[str, list[Path]],
    folder: Path,
) -> dict[str, Path]:
    """Return the files whose names are those of the pairs.

    Raises:
        UserError: There are several for one pair.
    """
    found = {}
    for number, pair in enumerate(pairs):
        stems = sorted({keys[number] for keys in kinds})
        there = [file for stem in stems for file in files.get(stem, [])]
        if len(there) > 1:
            raise UserError(
                f'{folder} has {_both(folder, *there[:2])} for one image, {pair.name}; remove one'
            )
        if there:
            found[pair.name] = there[0]
    return found


def _refuse_others(
    pairs: Sequence[Pair],
    kinds: Sequence[Sequence[str]],
    files: Mapping[str, list[Path]],
    found: Mapping[str, Path],
    folder: Path,
) -> None:
    """Make sure that no other file may be the result of a pair whose file has its exact name.

    Raises:
        UserError: A name differs from a pair's in zeros alone, or a rule gives every pair a file left over.
    """
    used = set(found.values())
    left = {key: there for key, there in files.items() if used.isdisjoint(there)}
    plain = {_without_zeros(key): there[0] for key, there in left.items()}
    for kind in kinds:
        keys = [_without_zeros(key) for key in kind]
        for pair, key in zip(pairs, keys, strict=True):
            if key in plain and len(set(keys)) == len(keys):
                raise UserError(
                    f'{folder} has {_both(folder, found[pair.name], plain[key])} for one image, '
                    f'{pair.name}; remove one'
                )
    ruled = _by_rule(pairs, kinds, left, folder)
    if ruled:
        name = pairs[0].name
        rule, there = next(iter(ruled.items()))
        raise UserError(
            f'{folder}: {_both(folder, found[name], there[name])} may both be the result of {name} '
            f'(names as in the data set, or {rule}); leave one file for each image'
        )


def _by_rule(
    pairs: Sequence[Pair],
    kinds: Sequence[Sequence[str]],
    files: Mapping[str, list[Path]],
    folder: Path,
) -> dict[str, dict[str, Path]]:
    """Return the files by name of the pair, for each rule that gives every pair a file of its own.

    Raises:
        UserError: A rule gives every pair a file, and one of them several.
    """
    plain: dict[str, list[Path]] = {}
    for key, there in files.items():
        plain.setdefault(_without_zeros(key), []).extend(there)
    rules = {}
    for kind in kinds:
        keys = [_without_zeros(key) for key in kind]
        if len(set(keys)) < len(keys):
            continue
        for before, after in _surroundings(keys[0], plain):
            chosen = [plain.get(f'{before}{key}{after}', []) for key in keys]
            doubled = next((there for there in chosen if len(there) > 1), None)
            if all(chosen) and doubled:
                raise UserError(
                    f'{folder} has {_both(folder, *doubled[:2])} for one image; remove one'
                )
            if all(chosen):
                found = {pair.name: there[0] for pair, there in zip(pairs, chosen, strict=True)}
                rules[f'{before}<name>{after}'] = found
    return rules


def _both(folder: Path, one: Path, other: Path) -> str:
    """Return the paths of two files relative to the folder of the results, for a message."""
    return ' and '.join(file.relative_to(folder).as_posix() for file in (one, other))


def _surroundings(key: str, names: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield what stands before and after a key in names; numbers are not cut."""
    pattern = re.compile(rf'(?<!\d){re.escape(key)}(?!\d)')
    for name in names:
        for match in pattern.finditer(name):
            yield name[: match.start()], name[match.end() :]


def _without_zeros(name: str) -> str:
    """Return a name without the leading zeros of its numbers.

    Example:
        >>> _without_zeros('scene_007/0000')
        'scene_7/0'
    """
    return re.sub(r'0*(\d+)', r'\1', name)


def _lacking(folder: Path, pairs: Sequence[Pair], missing: Sequence[Pair]) -> str:
    more = f' and {len(missing) - _NAMED} more' if len(missing) > _NAMED else ''
    names = ', '.join(pair.rainy.stem for pair in missing[:_NAMED])
    return (
        f'{folder} lacks {len(missing)} of {len(pairs)} images: {names}{more}; expected one file per rainy '
        'image, with its name, or with the same text before and after it in all'
    )
