"""Writing of image files; what a format cannot store is refused before anything is written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.atomic_io import atomic_write
from attentive_gan.utils.types import ImageArray

from .encoding import encode
from .formats import ImageFormat, check_format_holds
from .image_file import ImageFile

#: A marker's length has 16 bits and counts its own two bytes (ITU-T T.81, section B.1.1.4).
_LONGEST_JPEG_EXIF = 65533


def write_image(path: str | Path, image: ImageArray) -> Path:
    """Write an image atomically; the suffix decides the format.

    PNG, WebP, BMP and TIFF are written without loss, JPEG with quality 95 and without colour subsampling.

    Args:
        path: File to write; its folder is created if missing.
        image: RGB (H, W, 3) or grey (H, W), uint8, 0 to 255.

    Returns:
        The path.

    Raises:
        UserError: The suffix is unknown, the format cannot store the image, or the file cannot be written.
        ValueError: The array is not uint8 or has another shape.

    Example:
        >>> import tempfile
        >>> from attentive_gan.image_io import read_header
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     header = read_header(write_image(f'{folder}/a.webp', np.zeros((4, 6, 3), np.uint8)))
        >>> header.format, header.height, header.width
        ('WEBP', 4, 6)
    """
    if image.dtype != np.uint8 or not (image.ndim == 2 or image.shape[2:] == (3,)):
        raise ValueError(
            f'an image must be uint8 with shape (H, W, 3) or (H, W); '
            f'got {image.dtype} with shape {image.shape}'
        )
    grey = image.ndim == 2
    pixels = np.broadcast_to(image[..., None], (*image.shape, 3)) if grey else image
    return write_image_file(path, ImageFile(pixels, grey=grey))


def write_image_file(path: str | Path, file: ImageFile, quality: int = 95) -> Path:
    """Write an image with its metadata, atomically.

    Metadata that the format cannot store are left out; `lost_in` names them.

    Args:
        path: File to write; the suffix decides the format. Its folder is created if missing.
        file: Pixels and metadata; its own `format` is ignored.
        quality: Of JPEG, 1 to 100; its colours are never subsampled. WebP is lossless.

    Returns:
        The path.

    Raises:
        UserError: The format cannot store the image, or the file cannot be written.
    """
    path = Path(path)
    image_format = _checked_format(path, file)
    with atomic_write(path) as temporary, temporary.open('wb') as stream:
        encode(stream, file, image_format, quality)
    return path


def encode_image_file(name: str | Path, file: ImageFile, quality: int = 95) -> bytes:
    """Return the bytes that `write_image_file` would write; the suffix of the name decides the format.

    Raises:
        UserError: The format cannot store the image.
    """
    stream = io.BytesIO()
    encode(stream, file, _checked_format(name, file), quality)
    return stream.getvalue()


def _checked_format(path: str | Path, file: ImageFile) -> ImageFormat:
    height, width = file.pixels.shape[:2]
    image_format = check_format_holds(path, height, width, file.alpha is not None, file.bits)
    exif_bytes = len(file.exif or b'')
    if image_format.name == 'JPEG' and exif_bytes > _LONGEST_JPEG_EXIF:
        raise UserError(
            f'{shown(path)}: JPEG stores at most {_LONGEST_JPEG_EXIF} bytes of EXIF data, the image '
            f'has {exif_bytes}; write PNG or WEBP.'
        )
    return image_format
