"""Restoration of an uploaded image file, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import (
    FORMATS,
    ImageFile,
    encode_image_file,
    lost_in,
    read_image_file,
    to_uint8,
)
from attentive_gan.image_io.comparison import attention_image
from attentive_gan.image_io.formats import format_of
from attentive_gan.image_io.headers import open_image
from attentive_gan.image_io.resizing import resize
from attentive_gan.inference import ImageRestorer, Progress
from attentive_gan.utils.types import ImageArray, PixelArray

from .limits import Limits

#: Longest side of the images on the page, in pixels; downloads have the full size.
SHOWN_SIDE = 2048


@dataclass(frozen=True)
class Results:
    """Everything that the page fetches."""

    width: int
    """Columns of the image."""
    height: int
    """Rows of the image."""
    names: dict[str, str]
    """File names of the downloads: `kept` in the input's format, and `png` unless that is PNG."""
    files: dict[str, bytes]
    """Bytes of the downloads by the same keys, and PNG images to show: `rainy`, `restored`, and
    `attention` if the network has an attention map."""
    lost: dict[str, list[str]]
    """What of the input the downloads do not hold, by their keys; only those that lack something."""


def check_upload(content: bytes, name: str, limits: Limits) -> None:
    """Check size and shape of an uploaded image by its header, before it waits for its turn.

    Args:
        content: Bytes of the file.
        name: Its name, for messages.
        limits: Limits of uploads.

    Raises:
        UserError: It is no image that can be read, is too large, or too long for its width.
    """
    with BytesIO(content) as stream:
        width, height = open_image(stream, name, limits.pixels).size
    if max(width, height) > limits.aspect_ratio * min(width, height):
        raise UserError(
            f'{shown(name)} has {width}x{height} pixels; one side may be {limits.aspect_ratio:g} times as '
            'long as the other. Cut it into parts.'
        )


def restore_file(
    content: bytes, name: str, restorer: ImageRestorer, max_pixels: int, progress: Progress
) -> Results:
    """Restore an uploaded image.

    Args:
        content: Bytes of the file.
        name: Its name, for messages and downloads.
        restorer: The network.
        max_pixels: Largest accepted number of pixels.
        progress: Called with the finished fraction, 0 to 1.

    Raises:
        UserError: The file is no image that can be read, or cannot be restored.
    """
    file = read_image_file(name, max_pixels, content)
    restored = restorer.restore(file.pixels, attention=restorer.gives_attention, progress=progress)
    result = file.with_pixels(restored.image)
    path, kind = PurePosixPath(name), FORMATS[file.format]
    if not kind.written:
        kind = FORMATS['JPEG' if file.bits == 8 and file.alpha is None else 'PNG']
    suffix = path.suffix if path.suffix.lower() in kind.suffixes else kind.suffixes[0]
    names = {'kept': f'{path.stem}_restored{suffix}'}
    if kind.name != 'PNG':
        names['png'] = f'{path.stem}_restored.png'
    files = {key: encode_image_file(download, result) for key, download in names.items()}
    # A grey profile would not fit the three channels.
    profile = None if file.grey else file.icc_profile
    files['rainy'] = _shown(file.pixels, profile)
    files['restored'] = _shown(result.pixels, profile)
    if restored.attention is not None:
        files['attention'] = _shown(attention_image(restored.attention), None)
    height, width = file.pixels.shape[:2]
    formats = {key: format_of(download).name for key, download in names.items()}
    lost = {key: lost_in(file, kind) for key, kind in formats.items()}
    lost = {key: missing for key, missing in lost.items() if missing}
    return Results(width, height, names, files, lost)


def _shown(pixels: PixelArray, icc_profile: bytes | None) -> bytes:
    """Return a PNG for the screen: 8 bits, not larger than needed."""
    return encode_image_file(
        'shown.png', ImageFile(_reduced(to_uint8(pixels)), icc_profile=icc_profile)
    )


def _reduced(pixels: ImageArray) -> ImageArray:
    height, width = pixels.shape[:2]
    factor = SHOWN_SIDE / max(height, width)
    if factor >= 1:
        return pixels
    return resize(pixels, (max(1, round(height * factor)), max(1, round(width * factor))))
