"""Image headers: format, size and bit depth without decoding a pixel."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import ExifTags, Image, UnidentifiedImageError

from attentive_gan.errors import UserError, shown

from .formats import FORMATS

#: Largest image that is decoded by default, in pixels.
MAX_PIXELS = 50_000_000

#: What Pillow raises on damaged files, beside `UnidentifiedImageError` (an OSError).
DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, struct.error, IndexError, KeyError,
)  # fmt: skip

#: Brands of images in ISO base media files (ISO/IEC 23008-12, MIAF), with their common names.
_PHONE_FORMATS = {
    b'heic': 'HEIC', b'heix': 'HEIC', b'heim': 'HEIC', b'hevc': 'HEIC', b'mif1': 'HEIC',
    b'msf1': 'HEIC', b'avif': 'AVIF', b'avis': 'AVIF',
}  # fmt: skip

_TIFF_BITS_PER_SAMPLE = 258
_PNG_BIT_DEPTH_OFFSET = 24


@dataclass(frozen=True)
class ImageHeader:
    """Size and pixel format of an image as its header states them."""

    format: str
    """Key of `FORMATS`; a multi-image JPEG ('MPO', as phones write) counts as 'JPEG'."""
    height: int
    """Rows after the EXIF orientation is applied."""
    width: int
    """Columns after the EXIF orientation is applied."""
    mode: str
    """Pillow's name of the pixel format, such as 'RGB', 'L', 'P', 'CMYK' or 'I;16'."""
    bits: int
    """Bits per channel in the file: 16 for 16-bit PNG and TIFF, otherwise 8."""


@contextmanager
def decoder_errors(path: str | Path, doing: str) -> Iterator[None]:
    """Convert every error of a decoder inside the block into a `UserError` that names `path`.

    Args:
        path: File that is decoded.
        doing: Step, for the message.
    """
    try:
        yield
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(
            f'{shown(path)} is not an image in one of the formats {", ".join(FORMATS)}. '
            f'Replace or remove the file.'
        ) from error
    except Image.DecompressionBombError as error:
        raise too_large(path, str(error), MAX_PIXELS) from error
    except DECODER_ERRORS as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise UserError(
            f'{shown(path)} is truncated or damaged ({doing}: {reason}). '
            f'Copy the file again from its source.'
        ) from error


def too_large(path: str | Path, found: str, limit: int) -> UserError:
    """Return the error for an image with more pixels than the limit."""
    return UserError(
        f'{shown(path)} is too large ({found}); the limit is {limit / 1e6:g} million pixels. '
        f'Shrink the image or raise the limit (max_pixels).'
    )


def read_bytes(path: str | Path) -> bytes:
    """Return the content of a file.

    Raises:
        UserError: The file does not exist, is a folder, or may not be read.
    """
    with _file_errors(path):
        return Path(path).read_bytes()


@contextmanager
def _file_errors(path: str | Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f'{shown(path)} does not exist. Check the path.') from error
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f'{shown(path)} cannot be read ({reason}). Check the path and its rights.'
        ) from error


def open_image(stream: IO[bytes], path: str | Path, max_pixels: int) -> Image.Image:
    """Read the header from an open file; no pixel is decoded.

    Args:
        stream: The file, open for reading in binary mode.
        path: Its name, for messages.
        max_pixels: Largest accepted number of pixels.

    Raises:
        UserError: The file is empty, no image in one of `FORMATS`, larger than the limit, or holds an
            animation or several pages.
    """
    _check_start(stream, path)
    with decoder_errors(path, 'reading the header'), warnings.catch_warnings():
        # Pillow warns above its own limit; ours is lower or was chosen by the caller.
        warnings.simplefilter('ignore', Image.DecompressionBombWarning)
        image = Image.open(stream, formats=tuple(FORMATS))
        if image.width * image.height > max_pixels:
            raise too_large(path, f'{image.width}x{image.height}', max_pixels)
        frames = getattr(image, 'n_frames', 1)
        if image.format != 'MPO' and frames > 1:
            raise UserError(
                f'{shown(path)} holds {frames} images (an animation or several pages). '
                f'Save the wanted one as a file of its own.'
            )
    return image


def _check_start(stream: IO[bytes], path: str | Path) -> None:
    """Refuse empty files, and name formats of phones that Pillow would only call unknown."""
    first_bytes = stream.read(12)
    stream.seek(0)
    if not first_bytes:
        raise UserError(f'{shown(path)} is empty (0 bytes). Copy the file again from its source.')
    kind = _PHONE_FORMATS.get(first_bytes[8:12]) if first_bytes[4:8] == b'ftyp' else None
    if kind is not None:
        raise UserError(
            f'{shown(path)} is in the format {kind}, which is not supported. Let the phone share or save '
            'it as JPEG, or convert it.'
        )


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation (1 to 8; 1 is upright) stored in the bytes read so far."""
    # The base class's method: PngImageFile.getexif would decode the whole image first.
    value = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    return value if value in range(1, 9) else 1


def bits_of(image: Image.Image, first_bytes: bytes) -> int:
    """Return the bits per channel in the file, which Pillow's mode 'RGB' hides for 16-bit files."""
    if image.format == 'PNG':
        return 16 if first_bytes[_PNG_BIT_DEPTH_OFFSET] == 16 else 8
    if image.format == 'TIFF':
        bits = image.tag_v2.get(_TIFF_BITS_PER_SAMPLE, (8,))  # type: ignore[attr-defined]
        return max(bits) if isinstance(bits, tuple) else int(bits)
    return 8


def read_header(path: str | Path, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Read size and pixel format of an image without decoding it.

    Args:
        path: File in one of `FORMATS`; the content decides, not the suffix.
        max_pixels: Largest accepted number of pixels.

    Raises:
        UserError: The file is missing, empty, no image, or larger than the limit.
    """
    with _file_errors(path):
        stream = Path(path).open('rb')  # noqa: SIM115 -- closed below; its errors have another message
    with stream, decoder_errors(path, 'reading the header'):
        first_bytes = stream.read(32)
        stream.seek(0)
        image = open_image(stream, path, max_pixels)
        width, height = image.size
        if orientation_of(image) >= 5:  # rows and columns are exchanged (EXIF 2.32, tag 0x0112)
            width, height = height, width
        kind = 'JPEG' if image.format == 'MPO' else str(image.format)
        return ImageHeader(kind, height, width, image.mode, bits_of(image, first_bytes))
