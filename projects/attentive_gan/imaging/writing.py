"""Encoding of an RGB array into a picture file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from attentive_gan.errors import UserError, shown

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


def write_picture(path: str | Path, picture: NDArray[np.uint8]) -> Path:
    """Write a picture; the suffix decides the format. The file appears whole or not at all.

    Args:
        path: File to write; its folder is made where it is missing.
        picture: RGB (H, W, 3) or grey (H, W), uint8.

    Returns:
        The path that was written.

    Raises:
        UserError: The suffix is unknown, or the file cannot be written.
        ValueError: The array is not uint8 or has another shape.
    """
    path = Path(path)
    fits = picture.ndim in (2, 3) and picture.shape[2:] in ((), (3,))
    if picture.dtype != np.uint8 or not fits:
        raise ValueError(
            f'a picture must be uint8 with shape (H, W, 3) or (H, W); '
            f'got {picture.dtype} with shape {picture.shape}'
        )
    if path.suffix.lower() not in _WRITERS:
        raise UserError(f'{shown(path)}: use one of the suffixes {", ".join(_WRITERS)}.')
    kind, options = _WRITERS[path.suffix.lower()]
    with written_whole(path) as unfinished:
        Image.fromarray(np.ascontiguousarray(picture)).save(unfinished, kind, **options)
    return path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes the place of `path` at the end, or is removed after an error.

    Its content is on the disk before it gets its name, so a crash leaves the old file or the new one.

    Args:
        path: File to write; its folder is made where it is missing.

    Raises:
        UserError: The file cannot be written.
    """
    # Names may have 255 bytes; the temporary one needs some of them.
    stem = os.fsdecode(os.fsencode(path.name)[:200])
    unfinished = path.with_name(f'.{stem}.{os.getpid()}-{threading.get_ident()}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        with unfinished.open('rb+') as stream:
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise UserError(f'{shown(path)} cannot be written ({error.strerror or error}).') from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def remove_stale_temporaries(folder: Path) -> int:
    """Remove temporary files that killed processes of this machine left in a folder; return how many."""
    removed = 0
    for file in folder.glob('.*.tmp'):
        process = file.name.rsplit('.', 2)[-2].partition('-')[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            with suppress(OSError):
                file.unlink()
                removed += 1
    return removed
