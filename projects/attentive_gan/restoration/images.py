"""Restoring one image file: reading, the network, and the files that are written."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError
from attentive_gan.image_io import (
    ImageFile,
    check_format_holds,
    read_image_file,
    read_header,
    write_image_file,
    write_image,
)
from attentive_gan.image_io.comparison import attention_image
from attentive_gan.inference import ImageRestorer, Restoring

from .outputs import Target

#: Part of the attention map in its image; the rest is the rainy image.
OVERLAY = 0.5

#: Told of what part of the image in work is done.
PartDone = Callable[[float], None]


@dataclass
class ImageWork:
    """An image on its way, and how long each stage took."""

    target: Target
    """Its files."""
    height: int = 0
    """Rows, as soon as they are known."""
    width: int = 0
    """Columns likewise."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time of `read`, `restore` and `write`."""


class ImageFileRestorer:
    """The stages of an image, for `Pipeline`.

    Args:
        restorer: The network.
        quality: Of JPEG files.
        max_pixels: Largest image that is decoded.
        part_done: Told the part of the current image that is done, 0 to 1.
    """

    def __init__(
        self,
        restorer: ImageRestorer,
        quality: int,
        max_pixels: int,
        part_done: PartDone = lambda part: None,
    ) -> None:
        self.restorer = restorer
        self.quality = quality
        self.max_pixels = max_pixels
        self._part_done = part_done

    def size(self, work: ImageWork) -> int:
        """Return the bytes of the decoded image and its result; 0 for a file that cannot be read."""
        try:
            header = read_header(work.target.source.path, self.max_pixels)
        except UserError:
            return 0  # reading it tells why
        return header.height * header.width * 2 * 3 * (header.bits // 8)

    def read(self, work: ImageWork) -> ImageFile:
        """Read the image, and make sure that its result can be written."""
        started = time.perf_counter()
        document = read_image_file(work.target.source.path, self.max_pixels)
        work.height, work.width = document.pixels.shape[:2]
        bits = 8 * document.pixels.dtype.itemsize
        alpha = document.alpha is not None
        check_format_holds(work.target.path, work.height, work.width, alpha, bits)
        work.seconds['read'] = time.perf_counter() - started
        return document

    def restore(
        self, works: Sequence[ImageWork], documents: Sequence[ImageFile]
    ) -> list[tuple[ImageFile, Restoring]]:
        """Begin to restore images of one size and type; see `ImageRestorer.begin`."""
        started = time.perf_counter()
        wanted = works[0].target.attention is not None
        pixels = [document.pixels for document in documents]
        begun = self.restorer.begin(pixels, attention=wanted, progress=self._part_done)
        for work in works:
            work.seconds['restore'] = (time.perf_counter() - started) / len(works)
        return list(zip(documents, begun, strict=True))

    def write(self, work: ImageWork, begun: tuple[ImageFile, Restoring]) -> None:
        """Wait for the result and write its files; the restored image itself comes last."""
        started = time.perf_counter()
        document, restoring = begun
        restored = restoring.result()
        there = time.perf_counter()
        work.seconds['restore'] += there - started
        target = work.target
        if target.attention is not None and restored.attention is not None:
            write_image(target.attention, overlay(document.pixels, restored.attention))
        if target.side_by_side is not None:
            both = np.hstack((eight_bits(document.pixels), eight_bits(restored.image)))
            write_image(target.side_by_side, both)
        write_image_file(target.path, document.with_pixels(restored.image), self.quality)
        work.seconds['write'] = time.perf_counter() - there


def overlay(pixels: NDArray, attention: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw an attention map over its image: dark blue is 0, yellow is 1 and more.

    Args:
        pixels: RGB (H, W, 3), uint8 or uint16.
        attention: (H, W), clamped to 0 to 1.
    """
    colours = attention_image(attention)
    mixed = OVERLAY * colours.astype(np.float32) + (1 - OVERLAY) * eight_bits(pixels)
    return np.rint(mixed).astype(np.uint8)


def eight_bits(pixels: NDArray) -> NDArray[np.uint8]:
    """Return pixels with 8 bits, rounded so that white stays white."""
    if pixels.dtype == np.uint8:
        return pixels
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
