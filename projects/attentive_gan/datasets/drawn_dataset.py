"""The embedded data set: drawn scenes with simple raindrops, in the published folder layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attentive_gan import rendering
from attentive_gan.errors import UserError
from attentive_gan.imaging import write_picture
from attentive_gan.rendering import add_simple_drops, draw_scene

from .manifest import MANIFEST, changed_files, digest, read_manifest, write_manifest
from .pairing import pictures_in

#: Splits in the order of their numbers, which enter the seeds and must not change.
_SPLITS = ('train', 'test_a')


@dataclass(frozen=True)
class DrawnDatasetOptions:
    """What to draw; equal options give equal pictures on one machine."""

    train_pairs: int = 48
    """Number of training pairs."""
    test_pairs: int = 8
    """Number of test pairs, of other scenes."""
    width: int = 240
    """Width in pixels, at least 16."""
    height: int = 160
    """Height in pixels, at least 16."""
    seed: int = 0
    """Any number from 0."""

    def check(self) -> None:
        """Make sure that the options are in their ranges.

        Raises:
            UserError: One is not.
        """
        if min(self.train_pairs, self.test_pairs) < 1:
            raise UserError('Each split needs at least one pair.')
        if min(self.width, self.height) < 16:
            raise UserError(f'The size must be at least 16x16; got {self.width}x{self.height}.')
        if self.seed < 0:
            raise UserError(f'The seed must be 0 or more; got {self.seed}.')


def is_complete(out: Path, options: DrawnDatasetOptions) -> bool:
    """Return whether a folder holds exactly the data set of these options, unchanged.

    Args:
        out: Folder of the data set.
        options: What should be there.
    """
    manifest = read_manifest(out / MANIFEST) or {}
    if manifest.get('made_from') != _made_from(options):
        return False
    files = manifest.get('sha256', {})
    return set(_pictures(out)) == set(files) and not changed_files(out, files)


def draw_dataset(out: Path, options: DrawnDatasetOptions) -> Iterator[Path]:
    """Draw and write the data set, then its manifest.

    Args:
        out: Folder that gets `train` and `test_a`, each with `data/N_rain.png` and
            `gt/N_clean.png`.
        options: What to draw.

    Yields:
        Each rainy file after its pair was written.

    Raises:
        UserError: An option is out of its range, the folder holds pictures that are not in its
            manifest, or a file cannot be written.
    """
    options.check()
    _remove_own_files(out)
    digests: dict[str, str] = {}
    counts = (options.train_pairs, options.test_pairs)
    for number, (split, count) in enumerate(zip(_SPLITS, counts, strict=True)):
        for index in range(count):
            words = np.random.SeedSequence([options.seed, number, index]).generate_state(1)
            scene = draw_scene(int(words[0]), (options.height, options.width))
            drawn = add_simple_drops(scene, int(words[0]))
            rainy = write_picture(out / split / 'data' / f'{index}_rain.png', drawn.rainy)
            clean = write_picture(out / split / 'gt' / f'{index}_clean.png', drawn.clean)
            digests |= {file.relative_to(out).as_posix(): digest(file) for file in (rainy, clean)}
            yield rainy
    write_manifest(out / MANIFEST, {'made_from': _made_from(options), 'sha256': digests})


def _made_from(options: DrawnDatasetOptions) -> dict[str, Any]:
    """Return all that the pictures depend on: the options and the code that draws."""
    sources = sorted(Path(rendering.__file__).parent.glob('*.py'))
    return asdict(options) | {'rendering': {file.name: digest(file) for file in sources}}


def _pictures(out: Path) -> list[str]:
    """Return the pictures in the folders of the layout, as paths below `out`."""
    folders = [out / split / part for split in _SPLITS for part in ('data', 'gt')]
    found = [file for folder in folders if folder.is_dir() for file in pictures_in(folder)]
    return [file.relative_to(out).as_posix() for file in found]


def _remove_own_files(out: Path) -> None:
    """Remove the pictures of an earlier run; refuse to touch any that this tool did not write.

    From here until the end of the run the manifest says that the data set is unfinished, so that an
    interrupted run can be repeated.
    """
    manifest = read_manifest(out / MANIFEST) or {}
    present = _pictures(out)
    foreign = set(present) - set(manifest.get('sha256', {}))
    if foreign and not manifest.get('unfinished'):
        raise UserError(
            f'{out} holds pictures that this tool did not write, such as {sorted(foreign)[0]}. '
            f'Choose another folder (--out) or move them away.'
        )
    for name in present:
        (out / name).unlink()
    write_manifest(out / MANIFEST, {'unfinished': True})
