"""Properties of ffmpeg's pixel formats, by their names, and the choice of one for an encoder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

#: Pixel formats with more than 8 bits, as `yuv420p10le`, `p010le`, `rgb48le`, `gray12le`, `x2rgb10le`.
_DEEP = re.compile(
    r'(p|gray|rgb|rgba|bgr|bgra|xyz|ya)(9|10|12|14|16|20|48|64)(le|be)?$'
    r'|^p[0-4]1[026]|f(16|32)(le|be)$|^y21|^xv3|^nv20'
)
_ALPHA = re.compile(r'yuva|gbrap|rgba|bgra|argb|abgr|ya\d|ayuv')
_RGB = re.compile(r'gbr|rgb|bgr|xyz')
#: Formats that are written.
_WRITTEN = re.compile(
    r'yuv[aj]?4(20|22|44)p(\d+le)?|gbra?p(\d+le)?|nv12|p[02]10le|rgb24|rgba|bgra|argb|rgb48[lb]e|rgba64[lb]e'
)
_CHROMA_ORDER = ('420', '422', '444')


def is_deep(pixel_format: str) -> bool:
    """Return whether a pixel format has more than 8 bits per colour.

    Example:
        >>> [is_deep(name) for name in ('yuv420p', 'yuv422p10le', 'rgb48be', 'p010le', 'nv12', 'yuv410p')]
        [False, True, True, True, False, False]
    """
    return bool(_DEEP.search(pixel_format))


def bits(pixel_format: str) -> int:
    """Return the bits per colour, 8 to 16.

    Example:
        >>> [bits(name) for name in ('yuv420p', 'yuva444p12le', 'rgba64be', 'p010le', 'gbrapf32le')]
        [8, 12, 16, 10, 16]
    """
    if not is_deep(pixel_format):
        return 8
    found = re.search(r'(9|10|12|14)(le|be)?$', pixel_format)
    return int(found[1]) if found else 16


def has_alpha(pixel_format: str) -> bool:
    """Return whether a pixel format has an alpha channel."""
    return bool(_ALPHA.match(pixel_format))


def has_transparency(stream: dict[str, Any]) -> bool:
    """Return whether a video stream of ffprobe has an alpha channel."""
    tags = {key.lower(): value for key, value in stream.get('tags', {}).items()}
    return tags.get('alpha_mode') == '1' or has_alpha(stream.get('pix_fmt', ''))


def chroma(pixel_format: str, odd: bool = False) -> str:
    """Return the digits of the smallest written chroma subsampling that loses none of a source's.

    Args:
        pixel_format: Of the source.
        odd: Whether a side is odd, which needs 4:4:4.
    """
    if (
        odd
        or re.search(r'444|440|gbr|rgb|bgr|xyz|^p41|vuy|ayuv|^xv3|^nv24|^nv42', pixel_format)
        or pixel_format == 'pal8'
    ):
        return '444'
    return '422' if re.search(r'422|411|uyvy|yvyu|nv16|nv20|^p21|^y21', pixel_format) else '420'


def best_format(
    formats: Sequence[str], source: str, alpha: bool, odd: bool, rgb: bool = False
) -> str:
    """Return the format that loses least of a source, and the smallest of these.

    Args:
        formats: Those that the encoder takes; empty if unknown.
        source: Pixel format of the source.
        alpha: Whether the source has transparency.
        odd: Whether a side is odd.
        rgb: Whether to keep RGB of the source, as encoders without loss should; players want YUV.

    Returns:
        The format; empty if the encoder takes none that is written.

    Example:
        >>> best_format(['yuv422p10le', 'yuv444p10le', 'yuva444p10le'], 'argb', True, False)
        'yuva444p10le'
        >>> best_format(['yuv420p', 'nv12', 'p010le'], 'yuv422p10le', False, False)
        'p010le'
    """
    wanted = _CHROMA_ORDER.index(chroma(source, odd))

    def loss(name: str) -> tuple[int, ...]:
        digits, deep = _CHROMA_ORDER.index(chroma(name)), bits(name) - bits(source)
        return (
            alpha and not has_alpha(name), max(0, -deep), max(0, wanted - digits), has_alpha(name),
            bool(_RGB.match(name)) != (rgb and bool(_RGB.match(source))), max(0, deep), digits,
        )  # fmt: skip

    written = [name for name in formats if _WRITTEN.fullmatch(name)]
    return min(written, key=loss, default='' if formats else 'yuv420p')
