"""One rendered pair: its inputs, the rendering, and its files. Runs in worker processes."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.raindrops import RainyImage
from raindrop_renderer.sampling import add_raindrops

from attentive_gan.datasets.clean_images import DrawnScene
from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.pair_statistics import raindrop_statistics
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image, write_image
from attentive_gan.image_io.resizing import resize
from attentive_gan.utils.checks import check_range
from attentive_gan.utils.digests import digest
from attentive_gan.utils.types import ImageArray

#: Files of pair N below the data set's folder: the published layout, then ours.
FILES = {
    'rainy': 'data/{}_rain.png',
    'clean': 'gt/{}_clean.png',
    'mask': 'mask/{}_mask.png',
    'alpha': 'alpha/{}_alpha.png',
}

#: Errors of decoders, OpenCV and the renderer about one bad image.
_BAD_IMAGE = (UserError, ValueError, MemoryError, cv2.error)


class BadImage(Exception):  # noqa: N818 -- a finding about one image, not a failure of the run
    """A clean image cannot be used; the message is the reason and names the file."""


@dataclass(frozen=True)
class CleanSource:
    """A clean image: a photo, or a drawn scene."""

    name: str
    """Path of the photo below its folder, or the name of a scene."""
    path: Path | None = None
    """The photo; None for a scene."""
    scene: tuple[DrawnScene, int] | None = None
    """The scenes and the number of one of them."""

    def read(self) -> tuple[ImageArray, str]:
        """Return the image, RGB (H, W, 3), uint8, and the SHA-256 of its file or pixels.

        Raises:
            UserError: The photo cannot be read.
        """
        if self.scene is not None:
            scenes, number = self.scene
            image = scenes.draw(number)
            return image, hashlib.sha256(image.tobytes()).hexdigest()
        if self.path is None:
            raise ValueError('a clean source needs a path or a scene')
        image = read_image(self.path)
        return image, digest(self.path)


@dataclass(frozen=True)
class RenderedDatasetOptions:
    """What to render; equal options and images give equal files.

    Raises:
        UserError: An option is out of its range.
    """

    per_image: int = 1
    """Pairs of each clean image, 1 or more."""
    seed: int = 0
    """Any number from 0."""
    raindrops: RaindropOptions = field(default_factory=RaindropOptions)
    """Level, regimes, lighting, frame width and scales of the raindrops."""
    size: tuple[int, int] | None = None
    """(height, width) to which images are cut around their middle and shrunk; None: as they are."""

    def __post_init__(self) -> None:
        check_range('The number of pairs per image', self.per_image, 1)
        check_range('The seed', self.seed, 0)
        if self.size is not None and min(self.size) < 16:
            raise UserError(f'The size must be at least 16x16; got {self.size[1]}x{self.size[0]}.')


@dataclass(frozen=True)
class RenderJob:
    """Everything that one pair depends on."""

    number: int
    """Number in the names of its files."""
    source: CleanSource
    """The clean image."""
    repetition: int
    """How many pairs of the same image come before."""
    settings: RenderedDatasetOptions
    """Seed, raindrops and size, as for the whole data set."""
    out: Path
    """Folder of the data set."""

    @property
    def raindrop_seed(self) -> int:
        """Seed of the raindrops: a function of seed, name of the image and repetition alone.

        So an image is rendered alike whichever other images are in the folder.
        """
        name = int.from_bytes(hashlib.sha256(self.source.name.encode()).digest()[:8], 'big')
        words = np.random.SeedSequence([self.settings.seed, self.repetition, name]).generate_state(
            2
        )
        return int(words[0]) << 31 | int(words[1]) >> 1

    @property
    def options(self) -> RaindropOptions:
        """Distribution of the raindrops, with the known lighting of a drawn scene."""
        raindrops = self.settings.raindrops
        if self.source.scene is None or raindrops.lighting != 'auto':
            return raindrops
        scenes, number = self.source.scene
        return replace(raindrops, lighting=scenes.lighting(number))

    @property
    def files(self) -> dict[str, Path]:
        """The files of the pair by kind."""
        return {kind: self.out / name.format(self.number) for kind, name in FILES.items()}


def render_job(job: RenderJob) -> dict[str, Any]:
    """Render a pair and write its four files; returns the record for the manifest.

    Raises:
        BadImage: The clean image cannot be used; nothing was written.
        UserError: A file cannot be written; none of the four is left.
    """
    try:
        clean, source_digest = job.source.read()
        image = add_raindrops(_fitted(clean, job.settings.size), job.raindrop_seed, job.options)
        mask = raindrop_mask(image.rainy, image.clean)
        statistics = raindrop_statistics(image.rainy, image.clean)
    except _BAD_IMAGE as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        named = job.source.path is None or str(job.source.path) in reason
        raise BadImage(reason if named else f'{job.source.path}: {reason}') from error
    digests = _write(job, image, mask)
    height, width = image.rainy.shape[:2]
    measured = asdict(statistics).items()
    return {
        'number': job.number,
        'source': job.source.name,
        'source_sha256': source_digest,
        'repetition': job.repetition,
        'raindrop_seed': job.raindrop_seed,
        'width': width,
        'height': height,
        'parameters': asdict(image.parameters),
        'statistics': {key: None if v is None else round(v, 4) for key, v in measured},
        'sha256': digests,
    }


def _fitted(clean: ImageArray, size: tuple[int, int] | None) -> ImageArray:
    """Cut the middle with the proportions of the wanted size, and shrink it.

    Raises:
        UserError: The image is smaller.
    """
    if size is None:
        return clean
    height, width = clean.shape[:2]
    rows, columns = size
    if height < rows or width < columns:
        raise UserError(
            f'The image is {width}x{height}, smaller than the wanted {columns}x{rows} (--size).'
        )
    factor = min(height / rows, width / columns)
    cut = (min(height, round(rows * factor)), min(width, round(columns * factor)))
    top, left = (height - cut[0]) // 2, (width - cut[1]) // 2
    middle = clean[top : top + cut[0], left : left + cut[1]]
    return middle if cut == size else resize(middle, size)


def _write(job: RenderJob, image: RainyImage, mask: ImageArray) -> dict[str, str]:
    """Write the files of a pair and return their digests; all or none are there afterwards."""
    alpha = np.round(image.alpha * 255).astype(np.uint8)
    content = {'rainy': image.rainy, 'clean': image.clean, 'mask': mask, 'alpha': alpha}
    try:
        for kind, file in job.files.items():
            write_image(file, content[kind])
        return {file.relative_to(job.out).as_posix(): digest(file) for file in job.files.values()}
    except (UserError, OSError):
        for file in job.files.values():
            file.unlink(missing_ok=True)
        raise
