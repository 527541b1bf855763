"""Details of streams that an output may lose: side data, titles, languages, time code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .pixel_formats import has_transparency

#: ffprobe's kinds of side data that belong to the images, with their names in messages.
_SIDE_DATA = {
    'Mastering display metadata': 'mastering display of HDR',
    'Content light level metadata': 'light level of HDR',
    'HDR Dynamic Metadata SMPTE2094-40 (HDR10+)': 'HDR10+',
    'HDR dynamic metadata CUVA 005.1 2021 (Vivid)': 'HDR Vivid',
    'DOVI configuration record': 'Dolby Vision',
    'Dolby Vision RPU Data': 'Dolby Vision',
    'Dolby Vision Metadata': 'Dolby Vision',
    'Ambient viewing environment': 'ambient viewing environment',
    'Stereo 3D': 'stereo mode',
    'Spherical Mapping': 'spherical projection',
    'ATSC A53 Part 4 Closed Captions': 'closed captions',
    'ICC profile': 'colour profile',
}
#: Tags of the restored stream that are copied.
_COPIED = ('language', 'title', 'timecode', 'stereo_mode')

#: A stream, frame or container as ffprobe describes it.
_Fields = dict[str, Any]


def image_details(stream: _Fields, frames: Sequence[_Fields]) -> set[str]:
    """Name what belongs to the images beside their pixels.

    Args:
        stream: The video stream.
        frames: The first frames, as far as they are known.
    """
    parts = (stream, *frames[:1])
    kinds = {
        data.get('side_data_type') for part in parts for data in part.get('side_data_list', ())
    }
    found = {name for kind, name in _SIDE_DATA.items() if kind in kinds}
    return found | ({'transparency'} if has_transparency(stream) else set())


def image_tags(stream: _Fields, streams: Iterable[_Fields], container: _Fields) -> dict[str, str]:
    """Return the tags to copy to the restored stream.

    Args:
        stream: The video stream.
        streams: All streams; QuickTime files have one for the time code.
        container: The file, of which Matroska's and MXF's have the time code.
    """
    found = {name: value for name, value in _tags(stream).items() if name in _COPIED}
    for other in (*streams, container):
        if 'timecode' in _tags(other):
            found.setdefault('timecode', _tags(other)['timecode'])
    return {k: v for k, v in found.items() if v != 'und'}


def stream_names(streams: Iterable[_Fields]) -> dict[str, set[str]]:
    """Return the languages and titles of sound and subtitles, and the time codes of all streams."""
    found: dict[str, set[str]] = {'language': set(), 'title': set(), 'time code': set()}
    for stream in streams:
        tags = _tags(stream)
        found['time code'] |= {tags['timecode']} if 'timecode' in tags else set()
        if stream.get('codec_type') in ('audio', 'subtitle', 'video'):
            for name in ('language', 'title'):
                found[name] |= {tags[name]} if tags.get(name, 'und') != 'und' else set()
    return found


def _tags(part: _Fields) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in part.get('tags', {}).items()}
