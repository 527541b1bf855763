"""One rendered pair: its inputs, the rendering, and its files. Runs in worker processes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
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
BAD_IMAGE = (UserError, ValueError, MemoryError, cv2.error)


class BadImage(Exception):  # noqa: N818 -- a finding about one image, not a failure of the run
    """A clean image cannot be used; the message is the reason and names the file."""

    @classmethod
    def of(cls, source: CleanSource, error: BaseException) -> BadImage:
        """Make one of another error."""
        reason = ' '.join(str(error).split()) or type(error).__name__
        named = source.path is None or str(source.path) in reason
        return cls(reason if named else f'{source.path}: {reason}')


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

    def jobs(self, sources: Sequence[CleanSource], out: Path) -> list[RenderJob]:
        """Number the pairs: all of the first image, then all of the second, and so on."""
        pairs = [(source, time) for source in sources for time in range(self.per_image)]
        return [RenderJob(number, *pair, self, out) for number, pair in enumerate(pairs)]

    @staticmethod
    def names(made_from: dict[str, Any]) -> Iterator[str]:
        """Yield the names of all pairs of a data set (see `FILES`) from its record."""
        yield from map(str, range(len(made_from['images']) * made_from['per_image']))


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

    def fits(self, record: dict[str, Any]) -> bool:
        """Return whether the photo is that from which a record was made."""
        photo = self.source.path
        return photo is None or (photo.is_file() and digest(photo) == record.get('source_sha256'))

    def render(self) -> dict[str, Any]:
        """Render the pair and write its four files; returns the record for the manifest.

        Raises:
            BadImage: The clean image cannot be used; nothing was written.
            UserError: A file cannot be written; none of the four is left.
        """
        try:
            clean, source_digest = self.source.read()
            image = add_raindrops(
                fitted(clean, self.settings.size), self.raindrop_seed, self.options
            )
            statistics = raindrop_statistics(image.rainy, image.clean)
        except BAD_IMAGE as error:
            raise BadImage.of(self.source, error) from error
        digests = write_pair(self.out, str(self.number), image)
        height, width = image.rainy.shape[:2]
        measured = asdict(statistics).items()
        return {
            'number': self.number,
            'source': self.source.name,
            'source_sha256': source_digest,
            'repetition': self.repetition,
            'raindrop_seed': self.raindrop_seed,
            'width': width,
            'height': height,
            'parameters': asdict(image.parameters),
            'statistics': {key: None if v is None else round(v, 4) for key, v in measured},
            'sha256': digests,
        }


def fitted(clean: ImageArray, size: tuple[int, int] | None) -> ImageArray:
    """Cut the middle of an image with the proportions of the wanted size, and shrink it.

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


def write_pair(out: Path, name: str, image: RainyImage) -> dict[str, str]:
    """Write the files of a pair and return their digests; all or none are there afterwards.

    Args:
        out: Folder of the data set.
        name: Name of the pair in `FILES`.
        image: The pair.

    Raises:
        UserError: A file cannot be written.
    """
    alpha = np.round(image.alpha * 255).astype(np.uint8)
    mask = raindrop_mask(image.rainy, image.clean)
    content = {'rainy': image.rainy, 'clean': image.clean, 'mask': mask, 'alpha': alpha}
    files = {kind: out / template.format(name) for kind, template in FILES.items()}
    try:
        for kind, file in files.items():
            write_image(file, content[kind])
        return {file.relative_to(out).as_posix(): digest(file) for file in files.values()}
    except (UserError, OSError):
        for file in files.values():
            file.unlink(missing_ok=True)
        raise
