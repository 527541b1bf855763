"""Image headers: format, size and bit depth without decoding a pixel."""

from __future__ import annotations

import io
import lzma
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import tifffile
from PIL import Image, UnidentifiedImageError

from attentive_gan.errors import UserError, shown

from .bmp import read_bit_fields
from .exif_directories import orientation_of
from .formats import FORMATS
from .heif import avif_bits, brands_of, check_avif, open_heic, phone_format
from .png_chunks import PNG_SIGNATURE, with_metadata_first
from .tiff_decoding import check_layout, is_decoded_here, unusual_layout
from .tiff_layout import TIFF_STARTS, Photometric, TiffLayout, read_tiff_layout

#: Largest image that is decoded by default, in pixels.
MAX_PIXELS = 50_000_000

#: Bytes of a pixel with four channels of 16 bits, and an allowance for metadata and previews.
_BYTES_PER_PIXEL, _MOST_METADATA = 8, 64 * 2**20

#: What Pillow raises on damaged files, beside `UnidentifiedImageError` (an OSError).
DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, TypeError, LookupError,
    AttributeError, ArithmeticError, RuntimeError, tifffile.TiffFileError, lzma.LZMAError,
)  # fmt: skip

_PNG_BIT_DEPTH_OFFSET = 24
#: Formats that Pillow opens.
_PILLOW_FORMATS = ('PNG', 'JPEG', 'WEBP', 'BMP', 'TIFF', 'GIF')


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
    """Bits per channel that are read: 16 for files with more than 8, otherwise 8."""


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
        if reason.lower().startswith('unsupported'):
            raise UserError(
                f'{shown(path)} is of a kind that is not read ({reason}). Save it as PNG.'
            ) from error
        raise UserError(
            f'{shown(path)} is truncated or damaged ({doing}: {reason}). '
            f'Copy the file again from its source.'
        ) from error


def too_large(path: str | Path, found: str, limit: int) -> UserError:
    """Return the error for an image with more pixels than the limit."""
    return UserError(
        f'{shown(path)} is too large ({found}); the limit is {limit / 1e6:g} million pixels. '
        'Shrink the image or raise the limit (--max-megapixels; in Python: max_pixels).'
    )


def read_bytes(path: str | Path, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return the content of an image file.

    Args:
        path: The file.
        max_pixels: Largest accepted number of pixels, which limits the size of the file too.

    Raises:
        UserError: The file does not exist, is no regular file, may not be read, or is larger than an
            image of that many pixels can be.
    """
    with open_regular(path, max_pixels) as stream, _file_errors(path):
        return stream.read()


def check_regular(path: str | Path, status: os.stat_result) -> None:
    """Check that reading a file cannot wait forever; a folder passes, which gives an error of its own.

    Raises:
        UserError: It is a pipe, socket or device.
    """
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise UserError(
            f'{shown(path)} is no regular file but a pipe, socket or device. Remove it, or name a file.'
        )


def open_regular(path: str | Path, max_pixels: int) -> IO[bytes]:
    """Open an image file; errors as in `read_bytes`."""
    with _file_errors(path):
        status = Path(path).stat()
        check_regular(path, status)
        limit = _BYTES_PER_PIXEL * max_pixels + _MOST_METADATA
        if status.st_size > limit:
            raise UserError(
                f'{shown(path)} has {status.st_size / 2**20:.0f} MiB; an image of {max_pixels / 1e6:g} '
                f'million pixels has {limit / 2**20:.0f} MiB at most. Remove what is no image, or raise '
                'the limit (--max-megapixels; in Python: max_pixels).'
            )
        return Path(path).open('rb')


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


@dataclass(frozen=True)
class OpenedImage:
    """An image file whose header was read; no pixel is decoded."""

    image: Image.Image | None
    """The file as Pillow opened it; None if Pillow does not know the TIFF layout."""
    layout: TiffLayout | None
    """Layout of a TIFF file; None for other formats."""
    format: str
    """Key of `FORMATS`."""
    mode: str
    """Pillow's name of the pixel format, such as 'RGB', 'L', 'P', 'CMYK' or 'I;16'."""
    bits: int
    """Bits per channel that are read: 16 for files with more than 8, otherwise 8."""
    orientation: int
    """EXIF orientation, 1 to 8, that must be applied to the pixels as stored."""
    size: tuple[int, int]
    """Rows and columns as stored."""

    @property
    def info(self) -> dict[Any, Any]:
        """Pillow's metadata, such as 'icc_profile' and 'dpi'."""
        if self.image is not None:
            return self.image.info
        return {'icc_profile': self.layout.texts.get(34675) if self.layout else None}

    @property
    def upright_size(self) -> tuple[int, int]:
        """Rows and columns after the orientation is applied."""
        # rows and columns are exchanged (EXIF 2.32, tag 0x0112)
        return self.size[::-1] if self.orientation >= 5 else self.size


def open_image(
    stream: IO[bytes],
    path: str | Path,
    max_pixels: int,
    pixels: bool = True,
    animated: bool = False,
) -> OpenedImage:
    """Read the header from an open file; no pixel is decoded.

    Args:
        stream: The file, open for reading in binary mode.
        path: Its name, for messages.
        max_pixels: Largest accepted number of pixels.
        pixels: Whether the pixels will be decoded from the result.
        animated: Whether animations are accepted.

    Raises:
        UserError: The file is empty, no image in one of `FORMATS`, larger than the limit, or holds an
            animation or several pages.
    """
    start = _check_start(stream, path)
    phone = phone_format(start)
    with decoder_errors(path, 'reading the header'), warnings.catch_warnings():
        # Pillow warns above its own limit, ours is lower or was chosen by the caller; and about odd tags.
        warnings.simplefilter('ignore')
        if start.startswith(TIFF_STARTS):
            return _open_tiff(stream, path, max_pixels)
        if phone is not None:
            return _open_phone_photo(stream, phone, path, max_pixels)
        if (fields := read_bit_fields(start)) is not None:
            image = fields.opened()
            _check_pixels(image.height, image.width, path, max_pixels)
            size = image.height, image.width
            return OpenedImage(image, None, 'BMP', image.mode, fields.bits, 1, size)
        if start.startswith(PNG_SIGNATURE):
            stream = with_metadata_first(stream, path, pixels)
        image = Image.open(stream, formats=_PILLOW_FORMATS)
        _check_pixels(image.height, image.width, path, max_pixels)
        if image.format != 'MPO' and not animated:
            _check_single(image, path)
        deep = image.format == 'PNG' and start[_PNG_BIT_DEPTH_OFFSET] == 16
        kind = 'JPEG' if image.format == 'MPO' else str(image.format)
        return OpenedImage(
            image, None, kind, image.mode, 16 if deep else 8, orientation_of(image.info),
            (image.height, image.width),
        )  # fmt: skip


def _open_phone_photo(
    stream: IO[bytes], kind: str, path: str | Path, max_pixels: int
) -> OpenedImage:
    content = stream.read()
    if kind == 'HEIC':
        image, bits = open_heic(content, path)
        orientation = 1
    else:
        check_avif(path)
        try:
            image = Image.open(io.BytesIO(content), formats=('AVIF',))
        except UnidentifiedImageError as error:
            raise ValueError('no AVIF image') from error
        bits = 8 if avif_bits(content) == 8 else 16
        orientation = orientation_of(image.info)
        _check_single(image, path)
    _check_pixels(image.height, image.width, path, max_pixels)
    return OpenedImage(
        image, None, kind, image.mode, bits, orientation, (image.height, image.width)
    )


def _check_single(image: Image.Image, path: str | Path) -> None:
    frames = getattr(image, 'n_frames', 1)
    if frames > 1:
        raise UserError(
            f'{shown(path)} holds {frames} images (an animation or several pages). '
            f'Save the wanted one as a file of its own.'
        )


def _open_tiff(stream: IO[bytes], path: str | Path, max_pixels: int) -> OpenedImage:
    layout = read_tiff_layout(stream, path)
    _check_pixels(layout.height, layout.width, path, max_pixels)
    check_layout(layout, path)
    stream.seek(0)
    try:
        image = Image.open(stream, formats=('TIFF',))
    except DECODER_ERRORS as error:
        if not is_decoded_here(layout):
            raise unusual_layout(layout, path) from error
        image = None
    mode = image.mode if image is not None else 'L' if layout.grey else 'RGB'
    if layout.photometric == Photometric.CMYK:
        mode = 'CMYK'
    return OpenedImage(
        image, layout, 'TIFF', mode, 16 if layout.deep else 8, layout.orientation,
        (layout.height, layout.width),
    )  # fmt: skip


def _check_pixels(height: int, width: int, path: str | Path, max_pixels: int) -> None:
    if height * width > max_pixels:
        raise too_large(path, f'{width}x{height}', max_pixels)


def _check_start(stream: IO[bytes], path: str | Path) -> bytes:
    """Return the first bytes; refuse empty files."""
    first_bytes = brands_of(stream.read(256))
    stream.seek(0)
    if not first_bytes:
        raise UserError(f'{shown(path)} is empty (0 bytes). Copy the file again from its source.')
    return first_bytes


def read_header(path: str | Path, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Read size and pixel format of an image without decoding it.

    Args:
        path: File in one of `FORMATS`; the content decides, not the suffix.
        max_pixels: Largest accepted number of pixels.

    Raises:
        UserError: The file is missing, empty, no image, or larger than the limit.
    """
    with open_regular(path, max_pixels) as stream:
        opened = open_image(stream, path, max_pixels, pixels=False)
    return ImageHeader(opened.format, *opened.upright_size, opened.mode, opened.bits)
