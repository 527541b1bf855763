"""A quick check whether an image file was copied to its end."""

from __future__ import annotations

from pathlib import Path

from .headers import MAX_PIXELS, ImageHeader, read_header
from .reading import read_image

#: Bytes at the end of a file that are searched for its end marker.
_TAIL = 1024


def verify_complete(path: str | Path, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Read the header of an image and check that the file is not truncated.

    PNG and JPEG files end with a marker, WebP and BMP files state their length: that costs
    microseconds. If this check fails, as with TIFF or with bytes appended by a camera, the image is
    decoded to decide. An image that was damaged in the middle passes; only decoding and checksums
    (`tools/dataset_converters/raindrop/check_dataset.py`) find that.

    Args:
        path: File in PNG, JPEG, WebP, BMP or TIFF format.
        max_pixels: Largest accepted number of pixels.

    Raises:
        UserError: The file is missing, empty, no image, too large, or truncated.
    """
    header = read_header(path, max_pixels)
    if not _has_end(Path(path), header.format):
        read_image(path, max_pixels)
    return header


def _has_end(path: Path, kind: str) -> bool:
    """Return whether the file has its format's end marker or stated length."""
    length = path.stat().st_size
    with path.open('rb') as stream:
        start = stream.read(8)
        stream.seek(max(0, length - _TAIL))
        tail = stream.read()
    if kind == 'PNG':
        return b'IEND' in tail
    if kind == 'JPEG':
        return b'\xff\xd9' in tail
    if kind == 'WEBP':
        return length >= int.from_bytes(start[4:8], 'little') + 8
    if kind == 'BMP':
        return length >= int.from_bytes(start[2:6], 'little') > 0
    return False
