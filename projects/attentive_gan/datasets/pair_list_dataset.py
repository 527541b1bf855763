"""Pairs that a text file lists, as in All-Weather."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from mmagic.registry import DATASETS

from attentive_gan.errors import UserError

from .pair_dataset import PairDataset
from .pairing import Fault, Pair, images_in

_PARTNERS = 'Put the missing files there, or take their lines out of the list.'


@DATASETS.register_module()
class PairListDataset(PairDataset):
    """Rainy images that a text file lists, one a line; their clean partners lie in a folder beside theirs.

    This is how TransWeather's All-Weather, its test lists and many works after it are arranged:
    `./allweather/input/0_rain.png` in the list, with the clean image `allweather/gt/0_rain.png`. Where
    there is no clean image of that name, `0_clean` stands for `0_rain`. Suffixes may differ. Paths count
    from the folder of the list; a first folder that is missing is left out, since some copies of the list
    name it and others do not.

    Source: train_data_functions.py of github.com/jeya-maria-jose/TransWeather.

    Args:
        list_file: The list, below `data_root`.
        rainy: Name of the folder of the rainy images in the list's paths.
        clean: Name of the folder beside it.
        **kwargs: Arguments of `PairDataset`.

    Raises:
        UserError: The list is missing or no text, or what `PairDataset` raises.
    """

    LAYOUT = 'a list such as allweather.txt, with allweather/input/ and allweather/gt/'

    def __init__(
        self, *, list_file: str, rainy: str = 'input', clean: str = 'gt', **kwargs: Any
    ) -> None:
        self.list_file = list_file
        self.rainy, self.clean = rainy, clean
        super().__init__(**kwargs)

    def find_pairs(self) -> tuple[list[Pair], list[Fault]]:
        """Return the pairs in the order of the list, and what is wrong with it."""
        path = self.root / self.list_file
        folders = _Folders()
        pairs: dict[str, Pair] = {}
        faults = []
        for line in _lines(path):
            name = PurePosixPath(line).stem
            rainy = _present(path.parent, line)
            clean = folders.partner(rainy, self.rainy, self.clean) if rainy else None
            if rainy is None:
                faults.append(Fault('a listed image is missing', line, _PARTNERS))
            elif clean is None:
                kind = f'listed images without a partner in {self.clean}/'
                faults.append(Fault(kind, line, _PARTNERS))
            elif name in pairs:
                where = f'{line} and {pairs[name].rainy.name}'
                faults.append(Fault('two listed images with one name', where, 'Remove one.'))
            else:
                pairs[name] = Pair(name, rainy, clean)
        return list(pairs.values()), faults


class _Folders:
    """Image files of folders by stem; every folder is read once."""

    def __init__(self) -> None:
        self._files: dict[Path, dict[str, Path]] = {}

    def partner(self, rainy: Path, folder: str, other: str) -> Path | None:
        """Return the clean image of a rainy one, or None.

        Args:
            rainy: File of the rainy image.
            folder: Name of its folder.
            other: Name of the folder of the clean image.
        """
        if rainy.parent.name != folder:
            return None
        place = rainy.parent.parent / other
        if place not in self._files:
            images = images_in(place) if place.is_dir() else []
            self._files[place] = {file.stem: file for file in images}
        files = self._files[place]
        same = files.get(rainy.stem)
        if same is None and rainy.stem.endswith('_rain'):
            return files.get(f'{rainy.stem.removesuffix("_rain")}_clean')
        return same


def _lines(path: Path) -> list[str]:
    """Return the lines of a list, without empty ones.

    Raises:
        UserError: It is missing or no text.
    """
    try:
        text = path.read_text('utf-8')
    except FileNotFoundError as error:
        raise UserError(
            f'{path} does not exist. Put the list of the data set there, or set data_root and list_file.'
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f'{path} cannot be read as a list of images ({error}); expected one path a line.'
        ) from error
    lines = (line.strip().replace('\\', '/') for line in text.splitlines())
    return [line.removeprefix('./') for line in lines if line]


def _present(folder: Path, line: str) -> Path | None:
    """Return the file that a line names; its first folder may be missing."""
    whole = folder / line
    if whole.is_file():
        return whole
    shorter = folder / PurePosixPath(*PurePosixPath(line).parts[1:])
    return shorter if shorter.is_file() else None
