"""One clip of a data set: its inputs, and its files. Runs in worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from raindrop_renderer.moving_water import WATERS, Water
from raindrop_renderer.options import RaindropOptions

from attentive_gan.datasets.camera_paths import MOVEMENTS, Movement, scene_size
from attentive_gan.datasets.pair_statistics import raindrop_statistics
from attentive_gan.errors import UserError
from attentive_gan.utils.checks import check_range
from attentive_gan.utils.digests import digest
from attentive_gan.utils.types import ImageArray

from .render_jobs import BAD_IMAGE, BadImage, CleanSource, fitted, write_pair
from .rendered_clip import RenderedClip


@dataclass(frozen=True)
class ClipOptions:
    """What clips to render; equal options and images give equal files.

    Raises:
        UserError: An option is out of its range.
    """

    clips: int
    """Number of clips; movements, water and images are taken in turn."""
    frames: int = 24
    """Frames of a clip, 1 or more."""
    size: tuple[int, int] = (240, 360)
    """(height, width) of the frames in pixels, at least 32 each."""
    movements: tuple[Movement, ...] = MOVEMENTS
    """How the camera moves."""
    waters: tuple[Water, ...] = WATERS
    """What the water does."""
    noise: float = 1.0
    """Standard deviation of the sensor's noise in the rainy frames, in levels, 0 to 30."""
    seed: int = 0
    """Any number from 0."""
    raindrops: RaindropOptions = field(default_factory=RaindropOptions)
    """Distribution of the raindrops."""

    def __post_init__(self) -> None:
        check_range('The number of clips', self.clips, 1)
        check_range('The number of frames', self.frames, 1)
        check_range('The noise', self.noise, 0, 30)
        check_range('The seed', self.seed, 0)
        if min(self.size) < 32:
            raise UserError(f'Frames must be at least 32x32; got {self.size[1]}x{self.size[0]}.')

    def jobs(self, sources: Sequence[CleanSource], out: Path) -> list[ClipJob]:
        """Return a job for each clip."""
        count = len(sources)
        return [
            ClipJob(n, sources[n % count], sources[(n + 1) % count], self, out)
            for n in range(self.clips)
        ]

    @staticmethod
    def names(made_from: dict[str, Any]) -> Iterator[str]:
        """Yield the names of all pairs of a data set (see `render_jobs.FILES`) from its record."""
        for clip in range(made_from['clips']):
            yield from (f'{clip}/{frame}' for frame in range(made_from['frames']))


@dataclass(frozen=True)
class ClipJob:
    """Everything that one clip depends on."""

    number: int
    """Number of the clip, and name of its folders."""
    source: CleanSource
    """The scene."""
    second: CleanSource
    """The scene after a cut."""
    settings: ClipOptions
    """Options of the whole data set."""
    out: Path
    """Folder of the data set."""

    @property
    def clip(self) -> RenderedClip:
        """The clip; in time all kinds of water meet all movements."""
        settings, number = self.settings, self.number
        turn = number + number // len(settings.movements)
        words = np.random.SeedSequence([settings.seed, number, 31]).generate_state(2)
        raindrops = settings.raindrops
        if self.source.scene is not None and raindrops.lighting == 'auto':
            scenes, drawn = self.source.scene
            raindrops = replace(raindrops, lighting=scenes.lighting(drawn))
        return RenderedClip(
            settings.movements[number % len(settings.movements)],
            settings.waters[turn % len(settings.waters)],
            settings.frames,
            settings.size,
            int(words[0]) << 31 | int(words[1]) >> 1,
            settings.noise,
            raindrops,
        )

    def fits(self, record: dict[str, Any]) -> bool:
        """Return whether the photos are those from which a record was made."""
        return bool(record.get('photos') == self._photos())

    def _photos(self) -> list[str | None]:
        """Return checksums of the photos; None for drawn scenes and missing files."""
        paths = (source.path for source in (self.source, self.second))
        return [digest(path) if path and path.is_file() else None for path in paths]

    def render(self) -> dict[str, Any]:
        """Render the clip and write its files, four for each frame; returns the record for the manifest.

        Raises:
            BadImage: A clean image cannot be used; nothing was written.
            UserError: A file cannot be written.
        """
        clip, photos = self.clip, self._photos()
        scene = cache(self._scene)
        for number in (0, 1) if clip.movement == 'cut' else (0,):
            scene(number)
        digests: dict[str, str] = {}
        levels, parameters = [], {}
        for number, image in enumerate(clip.render(scene)):
            digests |= write_pair(self.out, f'{self.number}/{number}', image)
            levels.append(raindrop_statistics(image.rainy, image.clean).psnr)
            parameters = asdict(image.parameters)
        known = [level for level in levels if level is not None]
        return {
            'number': self.number,
            'shown': f'{self.number}/{clip.frames // 2}',
            'source': self.source.name,
            'second_source': self.second.name if clip.movement == 'cut' else None,
            'photos': photos,
            'movement': clip.movement,
            'water': clip.water,
            'raindrop_seed': clip.seed,
            'parameters': parameters,
            'statistics': {'psnr': round(float(np.mean(known)), 4) if known else None},
            'sha256': digests,
        }

    def _scene(self, number: int) -> ImageArray:
        """Return a scene of the size for the camera's paths; one photo alone is mirrored after a cut."""
        source = self.second if number else self.source
        try:
            image = fitted(source.read()[0], scene_size(self.settings.size))
        except BAD_IMAGE as error:
            raise BadImage.of(source, error) from error
        return np.ascontiguousarray(image[:, ::-1]) if number and source == self.source else image
