"""Where clean images come from: photos in a folder, or scenes drawn by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from drawn_scenes.scenes import draw_scene

from attentive_gan.errors import UserError
from attentive_gan.image_io import SUFFIXES
from attentive_gan.utils.checks import check_range
from attentive_gan.utils.types import ImageArray

from .pairing import natural_key

_SMALLEST = 16


def photos_below(folder: Path, without: Sequence[Path] = ()) -> dict[str, Path]:
    """Return the image files in a folder and its subfolders by their path below it, in natural order.

    Hidden files and folders, and files without an image's suffix, are left out.

    Args:
        folder: Folder of the photos.
        without: Folders and files that are left out, such as renderings of these photos.

    Raises:
        UserError: There is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise UserError(
            f'{folder} does not exist. Put clean photos there, or name the folder that has them.'
        )
    left_out = [place.resolve() for place in without]
    found = {}
    for path in folder.rglob('*'):
        name = path.relative_to(folder)
        if path.suffix.lower() not in SUFFIXES or any(part.startswith('.') for part in name.parts):
            continue
        inside = any(path.resolve().is_relative_to(place) for place in left_out)
        if path.is_file() and not inside:
            found[name.as_posix()] = path
    if not found:
        raise UserError(
            f'{folder} holds no images ({", ".join(SUFFIXES)}). Put clean photos there, or name the '
            f'folder that has them.'
        )
    return {name: found[name] for name in sorted(found, key=lambda name: (natural_key(name), name))}


@dataclass(frozen=True)
class DrawnScene:
    """Scenes by number; equal fields give equal scenes.

    Raises:
        UserError: A field is out of its range.
    """

    seed: int
    """Any number from 0."""
    size: tuple[int, int]
    """(height, width) in pixels, at least 16 each."""
    night_share: float = 0.0
    """Share of the scenes that are drawn at night, 0 to 1."""

    def __post_init__(self) -> None:
        check_range('seed', self.seed, 0)
        if min(self.size) < _SMALLEST:
            height, width = self.size
            raise UserError(f'A scene needs at least 16x16 pixels; got {width}x{height}.')
        check_range('night_share', self.night_share, 0, 1)

    def draw(self, number: int) -> ImageArray:
        """Draw scene `number`, RGB (H, W, 3), uint8."""
        words = np.random.SeedSequence([self.seed, number]).generate_state(1)
        return draw_scene(int(words[0]), self.size, self.lighting(number))

    def lighting(self, number: int) -> Literal['day', 'night']:
        """Return when scene `number` is."""
        words = np.random.SeedSequence([self.seed, number]).generate_state(2)
        return 'night' if words[1] < self.night_share * 2**32 else 'day'
