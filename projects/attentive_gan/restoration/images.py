"""Restoration of image files: reading, the network, and writing, overlapped by a pipeline."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from attentive_gan.errors import shown
from attentive_gan.image_io import (
    FORMATS,
    MAX_PIXELS,
    ImageFile,
    check_format_holds,
    lost_in,
    read_header,
    read_image_file,
    to_uint8,
    write_image,
    write_image_file,
)
from attentive_gan.image_io.comparison import attention_overlay
from attentive_gan.inference import ImageRestorer, Restoring

from .outputs import OutputFiles
from .pipeline import Grouping, Pipeline, file_threads


@dataclass
class ImageItem:
    """An image in the pipeline."""

    output: OutputFiles
    """Its files."""
    height: int = 0
    """Rows; 0 before the file is read."""
    width: int = 0
    """Columns; 0 before the file is read."""
    notes: list[str] = field(default_factory=list)
    """Messages about what differs in the output."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time of the stages `read`, `restore` and `write`."""

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started


class ImageFileRestorer:
    """Restores image files.

    Args:
        restorer: The network.
        quality: Of JPEG files, 1 to 100.
        max_pixels: Largest accepted number of pixels of an image.
        progress: Called with the name of the current file and its finished fraction, 0 to 1.
    """

    def __init__(
        self,
        restorer: ImageRestorer,
        quality: int = 95,
        max_pixels: int = MAX_PIXELS,
        progress: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        self.restorer = restorer
        self.quality = quality
        self.max_pixels = max_pixels
        self._progress = progress

    def run(
        self, outputs: Iterable[OutputFiles]
    ) -> Generator[tuple[ImageItem, BaseException | None], None, None]:
        """Restore files; reading and writing overlap with the network.

        Yields:
            Each image in its order when it is written, or with its error.
        """
        grouping = Grouping(
            key=lambda file: (file.pixels.shape, file.pixels.dtype),
            most=lambda file: self.restorer.together(file.pixels),
            compute=self.restore,
            ahead=self.restorer.most_together,
        )
        pipeline = Pipeline(
            self.size,
            self.read,
            lambda item, file: self.restore([item], [file])[0],
            self.write,
            threads=file_threads(self.restorer.device),
            grouping=grouping,
        )
        yield from pipeline.run(ImageItem(output) for output in outputs)

    def size(self, item: ImageItem) -> int:
        """Return the bytes of the decoded image and its result; 0 for a file that cannot be read."""
        try:
            header = read_header(item.output.input.path, self.max_pixels)
        except Exception:  # noqa: BLE001 -- `read` reports the reason; other files go on
            return 0
        return header.height * header.width * 2 * 3 * (header.bits // 8)

    def read(self, item: ImageItem) -> ImageFile:
        """Read the image, and check that its output format can store the result."""
        with item.timed('read'):
            file = read_image_file(item.output.input.path, self.max_pixels)
            item.height, item.width = file.pixels.shape[:2]
            alpha = file.alpha is not None
            kind = check_format_holds(item.output.path, item.height, item.width, alpha, file.bits)
            held = FORMATS[file.format].written and (
                file.format != 'BMP' or (not alpha and file.bits == 8)
            )
            if not held:
                item.notes.append(f'read as {file.format}, written as {kind.name}')
            if lost := lost_in(file, kind.name):
                item.notes.append(f'not kept: {", ".join(lost)}')
        return file

    def restore(
        self, items: Sequence[ImageItem], files: Sequence[ImageFile]
    ) -> list[tuple[ImageFile, Restoring]]:
        """Start to restore images of one size and type; see `ImageRestorer.begin`."""
        started = time.perf_counter()
        name = shown(items[0].output.input.path.name)
        begun = self.restorer.begin(
            [file.pixels for file in files],
            attention=items[0].output.attention is not None,
            progress=lambda fraction: self._progress(name, fraction),
        )
        for item in items:
            item.seconds['restore'] = (time.perf_counter() - started) / len(items)
        return list(zip(files, begun, strict=True))

    def write(self, item: ImageItem, begun: tuple[ImageFile, Restoring]) -> None:
        """Wait for the result and write its files, the restored image last."""
        file, restoring = begun
        with item.timed('restore'):
            restored = restoring.result()
        output = item.output
        with item.timed('write'):
            if output.attention is not None and restored.attention is not None:
                write_image(output.attention, attention_overlay(file.pixels, restored.attention))
            if output.side_by_side is not None:
                both = np.hstack((to_uint8(file.pixels), to_uint8(restored.image)))
                write_image(output.side_by_side, both)
            write_image_file(output.path, file.with_pixels(restored.image), self.quality)
