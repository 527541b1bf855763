"""From the bytes of an image file to all that the page shows, without touching the disk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePosixPath

import cv2
from numpy.typing import NDArray
from PIL import Image

from attentive_gan.image_io import (
    FORMATS,
    ImageFile,
    encode_image_file,
    read_image_file,
    to_uint8,
)
from attentive_gan.image_io.comparison import attention_image
from attentive_gan.inference import ImageRestorer, Progress

#: Longest side of what the page shows, in pixels; downloads have the full size.
SHOWN_SIDE = 2048


@dataclass(frozen=True)
class Results:
    """What the page fetches."""

    width: int
    """Columns of the image."""
    height: int
    """Rows of the image."""
    names: dict[str, str]
    """File names of the downloads: `kept` in the input's format, `png` unless that is PNG already."""
    files: dict[str, bytes]
    """Bytes of the downloads by the same keys, and PNG images to show: `rainy`, `restored`, and
    `attention` where the network draws a map."""


def restore_file(
    content: bytes, name: str, restorer: ImageRestorer, max_pixels: int, progress: Progress
) -> Results:
    """Restore an uploaded image.

    Args:
        content: Bytes of the file.
        name: Its name, for messages and downloads.
        restorer: Restores it.
        max_pixels: Largest number of pixels that is decoded.
        progress: Told the part of the work that is done, 0 to 1.

    Raises:
        UserError: The file is no image that can be read, or cannot be restored.
    """
    document = read_image_file(name, max_pixels, content)
    restored = restorer.restore(
        document.pixels, attention=restorer.gives_attention, progress=progress
    )
    result = document.with_pixels(restored.image)
    path = PurePosixPath(name)
    suffixes = FORMATS[document.format].suffixes
    suffix = path.suffix if path.suffix.lower() in suffixes else suffixes[0]
    names = {'kept': f'{path.stem}_restored{suffix}'}
    if document.format != 'PNG':
        names['png'] = f'{path.stem}_restored.png'
    files = {key: encode_image_file(target, result) for key, target in names.items()}
    files['rainy'] = _shown(document, document.pixels)
    files['restored'] = _shown(document, result.pixels)
    if restored.attention is not None:
        drawn = attention_image(restored.attention)
        files['attention'] = _encode(_reduced(drawn), None)
    height, width = document.pixels.shape[:2]
    return Results(width, height, names, files)


def _shown(document: ImageFile, pixels: NDArray) -> bytes:
    """Return a PNG for the screen: 8 bits, not larger than needed, in the image's colour profile."""
    small = to_uint8(_reduced(pixels))
    # A grey profile would not fit the three channels.
    return _encode(small, None if document.grey else document.icc_profile)


def _reduced(pixels: NDArray) -> NDArray:
    height, width = pixels.shape[:2]
    factor = SHOWN_SIDE / max(height, width)
    if factor >= 1:
        return pixels
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _encode(pixels: NDArray, profile: bytes | None) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, 'PNG', compress_level=1, icc_profile=profile)
    return stream.getvalue()
