"""Animated GIF, PNG and WebP files, frame by frame."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import PixelArray

from .animation_frames import shown_frames
from .decoding import upright
from .headers import (
    DECODER_ERRORS,
    MAX_PIXELS,
    decoder_errors,
    open_image,
    open_regular,
    read_bytes,
)
from .image_file import ImageFile
from .png_chunks import PNG_SIGNATURE
from .reading import metadata_of

#: Formats that hold animations, by Pillow's names.
ANIMATED_FORMATS = ('GIF', 'PNG', 'WEBP')
#: Bit of the flags of a VP8X chunk, and their place in a file (WebP container specification).
_WEBP_ANIMATED, _WEBP_FLAGS = 0x02, 20

Frame = tuple[PixelArray, PixelArray | None]
"""Colours (H, W, 3) and opacity (H, W), uint8 or uint16."""


def is_animation(path: str | Path) -> bool:
    """Return whether a file is a GIF, PNG or WebP of several frames; its pixels are not decoded."""
    try:
        with open_regular(path, MAX_PIXELS) as stream, warnings.catch_warnings():
            warnings.simplefilter('ignore')
            if not _may_be_animated(stream):
                return False
            stream.seek(0)
            with Image.open(stream, formats=ANIMATED_FORMATS) as image:
                return int(getattr(image, 'n_frames', 1)) > 1
    except (UserError, Image.DecompressionBombError, *DECODER_ERRORS):
        return False  # what is wrong is reported when the file is read


def _may_be_animated(stream: IO[bytes]) -> bool:
    start = stream.read(32)
    if start.startswith((b'GIF87a', b'GIF89a')):
        return True
    if start[:4] == b'RIFF' and start[8:16] == b'WEBPVP8X':
        return bool(start[_WEBP_FLAGS] & _WEBP_ANIMATED)
    if not start.startswith(PNG_SIGNATURE):
        return False
    stream.seek(len(PNG_SIGNATURE))
    while len(header := stream.read(8)) == 8:
        length, kind = struct.unpack('>I4s', header)
        if kind in (b'acTL', b'IDAT'):
            return bool(kind == b'acTL')
        stream.seek(length + 4, io.SEEK_CUR)
    return False


@dataclass(frozen=True)
class Animation:
    """An animated image; its frames are decoded one by one."""

    content: bytes
    """Bytes of the file."""
    path: Path
    """Its name, for messages."""
    metadata: ImageFile
    """Metadata and format; its pixels and opacity are those of the first frame."""
    durations: tuple[Fraction, ...]
    """Seconds for which each frame is shown."""
    plays: int
    """Number of times that it is shown; 0 for endless."""
    transparent: bool
    """Whether any pixel of any frame is transparent."""
    orientation: int
    """EXIF orientation that is applied to the frames."""
    max_pixels: int
    """Largest accepted number of pixels of a frame."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self.metadata.pixels.shape[:2]
        return height, width

    def frames(self) -> Iterator[Frame]:
        """Yield the whole image at each frame, upright; opacity is None if nothing is transparent.

        Raises:
            UserError: A frame is damaged.
        """
        kind = self.metadata.format
        decoded = _decoded(self.content, kind, self.path, self.orientation, self.max_pixels)
        with closing(decoded) as frames:
            for colours, alpha, _ in frames:
                yield colours, alpha if self.transparent else None


def read_animation(path: str | Path, max_pixels: int = MAX_PIXELS) -> Animation:
    """Read the metadata of an animation and check that all its frames can be decoded.

    Args:
        path: GIF, PNG or WebP file of several frames.
        max_pixels: Largest accepted number of pixels of a frame.

    Raises:
        UserError: The file is missing, damaged or too large.
    """
    path = Path(path)
    content = read_bytes(path, max_pixels)
    opened = open_image(io.BytesIO(content), path, max_pixels, animated=True)
    durations: list[Fraction] = []
    transparent, first = False, None
    for colours, alpha, duration in _decoded(
        content, opened.format, path, opened.orientation, max_pixels
    ):
        durations.append(duration)
        transparent = transparent or bool(alpha.min() < np.iinfo(alpha.dtype).max)
        if first is None:
            first = colours, alpha
    if first is None:
        raise UserError(f'{shown(path)} has no frame that can be read; copy it again')
    metadata = metadata_of(opened, content, path, first[0], first[1] if transparent else None)
    plays = opened.info.get('loop')
    if opened.format == 'GIF':  # which states repetitions, and nothing for none
        plays = 1 if plays is None else plays and plays + 1
    return Animation(
        content,
        path,
        metadata,
        tuple(durations),
        plays or 0,
        transparent,
        opened.orientation,
        max_pixels,
    )


def _decoded(
    content: bytes, kind: str, path: Path, orientation: int, max_pixels: int
) -> Generator[tuple[PixelArray, PixelArray, Fraction], None, None]:
    """Yield colours, opacity and duration of each frame as it is shown."""
    with decoder_errors(path, 'decoding a frame'), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for channels, duration in shown_frames(content, kind, path, max_pixels):
            turned = upright(channels, orientation)
            colours = np.ascontiguousarray(turned[..., :3])
            yield colours, np.ascontiguousarray(turned[..., 3]), duration
