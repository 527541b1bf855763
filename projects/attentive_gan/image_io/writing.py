"""Encoding of an RGB array into an image file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.atomic_io import atomic_write

#: Pillow's format and its options, by suffix; everything but JPEG is without loss.
_WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    '.png': ('PNG', {}),
    '.jpg': ('JPEG', {'quality': 95, 'subsampling': 0}),
    '.jpeg': ('JPEG', {'quality': 95, 'subsampling': 0}),
    '.webp': ('WEBP', {'lossless': True}),
    '.bmp': ('BMP', {}),
    '.tif': ('TIFF', {'compression': 'tiff_deflate'}),
    '.tiff': ('TIFF', {'compression': 'tiff_deflate'}),
}


def write_image(path: str | Path, image: NDArray[np.uint8]) -> Path:
    """Write an image; the suffix decides the format. The file appears whole or not at all.

    Args:
        path: File to write; its folder is made where it is missing.
        image: RGB (H, W, 3) or grey (H, W), uint8.

    Returns:
        The path that was written.

    Raises:
        UserError: The suffix is unknown, or the file cannot be written.
        ValueError: The array is not uint8 or has another shape.
    """
    path = Path(path)
    fits = image.ndim in (2, 3) and image.shape[2:] in ((), (3,))
    if image.dtype != np.uint8 or not fits:
        raise ValueError(
            f'an image must be uint8 with shape (H, W, 3) or (H, W); '
            f'got {image.dtype} with shape {image.shape}'
        )
    if path.suffix.lower() not in _WRITERS:
        raise UserError(f'{shown(path)}: use one of the suffixes {", ".join(_WRITERS)}.')
    kind, options = _WRITERS[path.suffix.lower()]
    with atomic_write(path) as unfinished:
        Image.fromarray(np.ascontiguousarray(image)).save(unfinished, kind, **options)
    return path
