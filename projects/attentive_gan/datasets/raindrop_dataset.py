"""Data sets of rainy and clean images in common layouts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmagic.registry import DATASETS

from attentive_gan.errors import UserError

from .held_out import Part, check_part, names_of_part
from .pair_dataset import PairDataset
from .pairing import (
    Fault,
    Pair,
    Side,
    images_in,
    keyed,
    match,
    natural_key,
    require_folders,
    stem_pattern,
    suggested_templates,
)


def _pairs_of_folders(
    dataset: PairDataset,
    folders: tuple[str, str],
    templates: tuple[str, str],
    numbered: bool,
    chosen: Callable[[list[str], str], list[str]] = lambda names, _: names,
) -> tuple[list[Pair], list[Fault]]:
    """Match the files of a rainy and a clean folder below the data set's root.

    Where these hold no images but folders, each of them is a scene, as in Raindrop Clarity; the scene's
    name is put before the pair's. `chosen` selects of the scenes by their names and what they are, or of
    the pairs where there are no several scenes.
    """
    rainy_folder, clean_folder = (dataset.root / name for name in folders)
    scenes = _scenes((rainy_folder, clean_folder))
    if not scenes:
        found, faults = _pairs_of_scene(rainy_folder, clean_folder, templates, numbered)
        names = set(chosen([pair.name for pair in found], 'pair')) if found else set()
        return [pair for pair in found if pair.name in names], faults
    pairs: dict[str, Pair] = {}
    faults = []
    for scene in chosen(scenes, 'scene') if len(scenes) > 1 else scenes:
        found, more = _pairs_of_scene(
            rainy_folder / scene, clean_folder / scene, templates, numbered
        )
        faults += more
        for pair in found:
            named = replace(pair, name=f'{scene}_{pair.name}')
            if named.name in pairs:
                where = f'{pairs[named.name].rainy} and {pair.rainy}'
                faults.append(Fault('two pairs with one name', where, 'Rename one of the scenes.'))
            pairs[named.name] = named
    if len(scenes) == 1 and pairs:
        pairs = {name: pairs[name] for name in chosen(list(pairs), 'pair')}
    return list(pairs.values()), faults


def _scenes(folders: tuple[Path, Path]) -> list[str]:
    """Return the names of the folders in either, in natural order; none where either holds images."""
    if any(images_in(folder) for folder in folders):
        return []
    inner = (child for folder in folders for child in folder.iterdir() if child.is_dir())
    names = {child.name for child in inner if not child.name.startswith('.')}
    return sorted(names, key=natural_key)


def _pairs_of_scene(
    rainy_folder: Path, clean_folder: Path, templates: tuple[str, str], numbered: bool
) -> tuple[list[Pair], list[Fault]]:
    """Match the files of two folders; a scene's folder may be missing on one side."""
    rainy_files, clean_files = (
        images_in(folder) if folder.is_dir() else [] for folder in (rainy_folder, clean_folder)
    )
    if rainy_folder == clean_folder:
        rainy_files, clean_files = _by_kind(rainy_files, templates)
    rainy = keyed(rainy_files, templates[0], numbered)
    clean = keyed(clean_files, templates[1], numbered)
    pairs, unmatched = match(rainy, clean, clean_folder, rainy_folder)
    if not pairs and not numbered:
        better = suggested_templates(
            [file.stem for file in rainy_files], [file.stem for file in clean_files]
        )
        if better and better != templates:
            remedy = f'Did you mean rainy_template={better[0]!r} and clean_template={better[1]!r}?'
            unmatched = [replace(fault, remedy=remedy) for fault in unmatched]
    return pairs, rainy.faults + clean.faults + unmatched


def _by_kind(files: list[Path], templates: tuple[str, str]) -> tuple[list[Path], list[Path]]:
    """Split the files of one folder; those of neither kind are reported with the rainy ones.

    Raises:
        UserError: A file is of both kinds.
    """
    is_rainy, is_clean = (stem_pattern(template).fullmatch for template in templates)
    both = [file.name for file in files if is_rainy(file.stem) and is_clean(file.stem)]
    if both:
        raise UserError(
            f'{files[0].parent}: {both[0]} may be rainy or clean, since both are in one folder and the '
            f'templates {templates[0]!r} and {templates[1]!r} fit; give templates that tell them apart.'
        )
    return [f for f in files if not is_clean(f.stem)], [f for f in files if is_clean(f.stem)]


@DATASETS.register_module()
class RaindropDataset(PairDataset):
    """The layout in which the Raindrop data set is published (github.com/rui1996/DeRaindrop).

    `data_root` is one of its splits (train, test_a, test_b) with `data/N_rain.png` and
    `gt/N_clean.png`; PNG and JPEG may be mixed. Pairs are matched and sorted by their number N. The
    arguments are those of `PairDataset`.
    """

    LAYOUT = 'data/N_rain.png or .jpg and gt/N_clean.png or .jpg'

    def find_pairs(self) -> tuple[list[Pair], list[Fault]]:
        """Return the pairs by number, and what is wrong with the folders."""
        require_folders(self.root, ('data', 'gt'), self.LAYOUT)
        return _pairs_of_folders(self, ('data', 'gt'), ('{}_rain', '{}_clean'), numbered=True)


@DATASETS.register_module()
class PairFolderDataset(PairDataset):
    """A folder of rainy and a folder of clean images, matched by name.

    Both may hold a folder for each scene instead, as in Raindrop Clarity; pairs are then matched within a
    scene, and `Drop/00001/00002.png` with its partner is the pair `00001_00002`.

    Args:
        rainy: Folder of the rainy images below `data_root`, such as 'input'.
        clean: Folder of the clean images below `data_root`, such as 'target'; may be the same one
            where the templates differ.
        rainy_template: Stem of the rainy files, where `{}` stands for the name of the pair. Where a clean
            image has several rainy ones, `{n}` stands for their number: '{}_{n}' for `901_3.jpg` and
            `901.jpg`, as in Rain1400.
        clean_template: Stem of the clean files. For `rain-001.png` and `norain-001.png` give
            'rain-{}' and 'norain-{}'.
        part: 'all' scenes, 'train' without the held-out ones, or 'held_out' alone, by their names; pairs
            where there are no scenes, or one only.
        held_out: Number of scenes that are held out; of fewer than five times as many, a fifth.
        **kwargs: Arguments of `PairDataset`.

    Raises:
        UserError: A template has not exactly one `{}`, `part` is none, there are too few scenes for two
            parts, or what `PairDataset` raises.
    """

    def __init__(
        self,
        *,
        rainy: str = 'rainy',
        clean: str = 'clean',
        rainy_template: str = '{}',
        clean_template: str = '{}',
        part: Part = 'all',
        held_out: int = 40,
        **kwargs: Any,
    ) -> None:
        for template in (rainy_template, clean_template):
            if template.count('{}') != 1:
                raise UserError(f'The name template {template!r} must contain {{}} once.')
        if '{n}' in clean_template:
            raise UserError(
                f'The template of clean files, {clean_template!r}, must not contain {{n}}.'
            )
        self.folders = (rainy, clean)
        self.templates = (rainy_template, clean_template)
        check_part(part, held_out)
        self.part: Part = part
        self.held_out = held_out
        super().__init__(**kwargs)

    def find_pairs(self) -> tuple[list[Pair], list[Fault]]:
        """Return the pairs by name, and what is wrong with the folders."""
        layout = ' and '.join(
            f'{folder}/{template.replace("{}", "<name>").replace("{n}", "<number>")}.png'
            for folder, template in zip(self.folders, self.templates, strict=True)
        )
        require_folders(self.root, self.folders, layout)
        return _pairs_of_folders(self, self.folders, self.templates, False, self._chosen)

    def _chosen(self, names: list[str], what: str) -> list[str]:
        """Return the names of scenes or pairs that belong to the data set's part."""
        return names_of_part(names, self.part, self.held_out, self.root, what)


@DATASETS.register_module()
class ConcatenatedPairDataset(PairDataset):
    """Images that hold rainy and clean side by side (A|B), as sets of rain streaks do.

    Args:
        rainy_side: Which half is the rainy one, 'left' or 'right'.
        **kwargs: Arguments of `PairDataset`; the images are in `data_root` itself.

    Raises:
        UserError: `rainy_side` is neither, an image has an odd width, or what `PairDataset`
            raises.
    """

    def __init__(self, *, rainy_side: Side = 'left', **kwargs: Any) -> None:
        if rainy_side not in ('left', 'right'):
            raise UserError(f"rainy_side must be 'left' or 'right'; got {rainy_side!r}.")
        self.rainy_side: Side = rainy_side
        super().__init__(**kwargs)

    def find_pairs(self) -> tuple[list[Pair], list[Fault]]:
        """Return one pair per image, and what is wrong with the folder."""
        require_folders(self.root, (), 'images with rainy and clean side by side')
        found = keyed(images_in(self.root), '{}', numbered=False)
        pairs = [Pair(name, file, file, self.rainy_side) for name, file in found.files.items()]
        return pairs, found.faults
