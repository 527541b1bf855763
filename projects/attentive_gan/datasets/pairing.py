"""Matching of rainy and clean files, and faults of data sets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from attentive_gan.errors import UserError
from attentive_gan.image_io import SUFFIXES, ImageHeader, verify_complete

Side = Literal['left', 'right']

#: How many files one message names.
_NAMED = 3

#: End of a message that stands for several faults.
_CHECKER = 'tools/dataset_converters/raindrop/check_dataset.py lists every one'


@dataclass(frozen=True)
class Pair:
    """Files of one rainy image and its clean partner."""

    name: str
    """Short name, unique in the data set."""
    rainy: Path
    """File of the rainy image."""
    clean: Path
    """File of the clean image; the same file where both are halves of one image."""
    rainy_side: Side | None = None
    """Which half is the rainy one where both are halves of one image."""

    def entry(self) -> dict[str, Any]:
        """Return `img_path`, `gt_path`, `name` and `rainy_side`, the entry of a data set."""
        return {
            'img_path': str(self.rainy),
            'gt_path': str(self.clean),
            'name': self.name,
            'rainy_side': self.rainy_side,
        }


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a data set."""

    kind: str
    """What is wrong, such as 'has no partner'; equal for faults of one kind."""
    where: str
    """The file or files, with details."""
    remedy: str
    """What to do, as a sentence."""


def raise_faults(faults: Sequence[Fault], data_root: Path) -> None:
    """Raise one line about the first kind of fault, with the names of up to three files.

    Raises:
        UserError: There is any fault.
    """
    if not faults:
        return
    first = faults[0]
    same = [fault.where for fault in faults if fault.kind == first.kind]
    named = ', '.join(same[:_NAMED])
    more = f' and {len(same) - _NAMED} more' if len(same) > _NAMED else ''
    others = len(faults) - len(same)
    rest = f' ({others} other faults; {_CHECKER}.)' if others else ''
    raise UserError(f'{data_root}: {first.kind}: {named}{more}. {first.remedy}{rest}')


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Return a sort key by which '2_rain' comes before '10_rain'.

    Example:
        >>> sorted(['10_rain', '2_rain'], key=natural_key)
        ['2_rain', '10_rain']
    """
    parts = re.split(r'(\d+)', name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part]


def images_in(folder: Path) -> list[Path]:
    """Return the image files of a folder in natural order.

    Hidden files, folders and files without an image's suffix are no part of a data set.
    """
    files = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith('.') and file.is_file()
    ]
    return sorted(files, key=lambda file: (natural_key(file.stem), file.suffix))


def require_folders(data_root: Path, folders: Iterable[str], layout: str) -> None:
    """Make sure that a data set's folders exist.

    Args:
        data_root: Folder of the data set.
        folders: Names of the folders below it.
        layout: The expected layout in words, for the message.

    Raises:
        UserError: The data set or one of its folders is missing.
    """
    if not data_root.is_dir():
        raise UserError(
            f'{data_root} does not exist. Put the data set there ({layout}), '
            f'or set data_root to its folder.'
        )
    missing = [name for name in folders if not (data_root / name).is_dir()]
    if not missing:
        return
    inner = sorted(child.name for child in data_root.iterdir() if (child / missing[0]).is_dir())
    hint = f'; did you mean {data_root / inner[0]}?' if inner else ''
    raise UserError(
        f'{data_root} has no folder {" and no folder ".join(missing)} (expected: {layout}){hint}'
    )


class Keyed(NamedTuple):
    """Files of one kind."""

    files: dict[str, Path]
    """Files by key, in their order."""
    partners: dict[str, str]
    """Key of the clean image by key of the file; they differ where a clean one has several rainy ones."""
    faults: list[Fault]
    """Unexpected names and duplicates."""


def keyed(files: Sequence[Path], template: str, numbered: bool) -> Keyed:
    """Find the key of each file: the part of its stem that stands for `{}` in a template.

    Args:
        files: Files of one folder.
        template: Stem with `{}`, such as '{}_rain'; with `{n}` too where several rainy images of one
            scene are numbered, such as '{}_{n}'.
        numbered: Whether the key must be a number; leading zeros do not count then.
    """
    pattern = stem_pattern(template, numbered)
    found: dict[str, Path] = {}
    partners: dict[str, str] = {}
    faults = []
    for file in files:
        match = pattern.fullmatch(file.stem)
        if match is None:
            wanted = template.replace('{}', 'N' if numbered else '<name>').replace(
                '{n}', '<number>'
            )
            remedy = f'Rename these files to {wanted}.png or .jpg, or move them elsewhere.'
            faults.append(Fault('files with unexpected names', _short(file), remedy))
            continue
        partner = str(int(match['key'])) if numbered else match['key']
        key = f'{partner}_{match["n"]}' if '{n}' in template else partner
        if key in found:
            where = f'{_short(found[key])} and {file.name}'
            faults.append(Fault('two files for one image', where, 'Remove one of each.'))
            continue
        found[key], partners[key] = file, partner
    return Keyed(found, partners, faults)


def stem_pattern(template: str, numbered: bool = False) -> re.Pattern[str]:
    """Return the pattern of the stems that a template describes, with groups `key` and maybe `n`.

    Args:
        template: Stem with `{}`, and maybe `{n}`.
        numbered: Whether the key must be a number.
    """
    kind = r'(?P<key>\d+)' if numbered else '(?P<key>.+)'
    escaped = re.escape(template).replace(re.escape('{}'), kind)
    return re.compile(escaped.replace(re.escape('{n}'), r'(?P<n>\d+)'))


def match(
    rainy: Keyed, clean: Keyed, clean_folder: Path, rainy_folder: Path
) -> tuple[list[Pair], list[Fault]]:
    """Match files by key; the order is the natural order of the keys.

    Args:
        rainy: Rainy files.
        clean: Clean files.
        clean_folder: Folder in which a rainy file's partner should be.
        rainy_folder: Folder in which a clean file's partner should be.
    """
    remedy = 'Add the missing partners or remove these files.'
    alone = [
        (clean_folder, rainy.files[k]) for k, p in rainy.partners.items() if p not in clean.files
    ]
    wanted = set(rainy.partners.values())
    alone += [(rainy_folder, file) for key, file in clean.files.items() if key not in wanted]
    faults = [
        Fault(f'images without a partner in {_label(folder, file)}/', _short(file), remedy)
        for folder, file in alone
    ]
    names = [name for name, partner in rainy.partners.items() if partner in clean.files]
    return [
        Pair(name, rainy.files[name], clean.files[rainy.partners[name]])
        for name in sorted(names, key=natural_key)
    ], faults


def suggested_templates(rainy: Sequence[str], clean: Sequence[str]) -> tuple[str, str] | None:
    """Return the templates by which all names of two folders would be matched, if there are any.

    Args:
        rainy: Stems of the rainy files, at least two.
        clean: Stems of the clean files.

    Example:
        >>> suggested_templates(['0_rain', '12_rain'], ['0_clean', '12_clean'])
        ('{}_rain', '{}_clean')
    """
    (before, rainy_keys, after), (first, clean_keys, last) = _common(rainy), _common(clean)
    if len(set(rainy)) < 2 or rainy_keys != clean_keys:
        return None
    return f'{before}{{}}{after}', f'{first}{{}}{last}'


def _common(stems: Sequence[str]) -> tuple[str, set[str], str]:
    """Return what all names begin with, their keys, and what all end with; numbers are not cut."""
    common = os.path.commonprefix  # of text, character by character
    before = re.sub(r'\d+$', '', common(list(stems)))
    rest = [stem[len(before) :] for stem in stems]
    after = re.sub(r'^\d+', '', common([stem[::-1] for stem in rest])[::-1])
    return before, {stem.removesuffix(after) for stem in rest}, after


def _label(folder: Path, file: Path) -> str:
    """Return a folder's name, with that of the folder above where the file's own has the same name."""
    same = folder.name == file.parent.name and folder != file.parent
    return f'{folder.parent.name}/{folder.name}' if same else folder.name


def verify_pairs(pairs: Sequence[Pair]) -> tuple[dict[str, tuple[int, int]], list[Fault]]:
    """Read the header and the end of every file; compare sizes within pairs.

    Args:
        pairs: The pairs to verify.

    Returns:
        (height, width) of the images by name of the pair, without the faulty ones, and the
        faults.
    """
    sizes: dict[str, tuple[int, int]] = {}
    faults = []
    for pair in pairs:
        try:
            rainy = verify_complete(pair.rainy)
            clean = rainy if pair.rainy_side else verify_complete(pair.clean)
        except UserError as error:
            faults.append(Fault('an image cannot be used', str(error).rstrip('.'), ''))
            continue
        fault = _size_fault(pair, rainy, clean)
        if fault:
            faults.append(fault)
        else:
            width = rainy.width // 2 if pair.rainy_side else rainy.width
            sizes[pair.name] = (rainy.height, width)
    return sizes, faults


def _size_fault(pair: Pair, rainy: ImageHeader, clean: ImageHeader) -> Fault | None:
    if pair.rainy_side and rainy.width % 2:
        where = f'{_short(pair.rainy)} is {rainy.width} wide'
        remedy = 'Both halves of a concatenated pair must have the same width; cut it anew.'
        return Fault('an odd width cannot be halved', where, remedy)
    if (rainy.height, rainy.width) == (clean.height, clean.width):
        return None
    where = (
        f'{_short(pair.rainy)} is {rainy.width}x{rainy.height}, '
        f'{_short(pair.clean)} is {clean.width}x{clean.height}'
    )
    remedy = 'Crop both to the same region or remove the pair.'
    return Fault('partners differ in size', where, remedy)


def _short(file: Path) -> str:
    """Return the folder and the name of a file; the message names the data set already."""
    return f'{file.parent.name}/{file.name}'
