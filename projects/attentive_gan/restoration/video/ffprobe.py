"""Properties of a video, read by ffprobe."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError, shown

from .backend import VideoInfo

#: Largest distance of frames from a regular grid, in frame durations, for a constant rate. Containers round
#: times, Matroska to milliseconds.
_GRID_TOLERANCE = 0.6
#: Largest ratio of a declared rate to the mean one at which it is used for frames of unequal duration.
_NEAR_MEAN = 1.5
#: ffprobe's fields of the colour space, with ffmpeg's options for them.
_COLOUR_TAGS = {
    'color_space': '-colorspace',
    'color_primaries': '-color_primaries',
    'color_transfer': '-color_trc',
}
#: Colour matrices, with their names in ffmpeg's scaler; others are not written.
MATRICES = {
    'bt709': 'bt709', 'smpte170m': 'smpte170m', 'bt470bg': 'bt470', 'fcc': 'fcc',
    'smpte240m': 'smpte240m', 'bt2020nc': 'bt2020',
}  # fmt: skip
#: Parts of the names of pixel formats with more than 8 bits.
_DEEP = ('p10', 'p12', 'p14', 'p16', '48', '64')

#: A stream or container as ffprobe describes it.
_Fields = dict[str, Any]


def probe(path: Path) -> VideoInfo:
    """Return the properties of a video.

    Args:
        path: The file; its packets are read through once, without decoding.

    Raises:
        UserError: The file is no video that ffmpeg can read.
    """
    stdout, errors = _run(path, '-show_streams', '-show_format', '-of', 'json')
    found = json.loads(stdout or b'{}')
    streams, container = found.get('streams', []), found.get('format', {})
    video = [s for s in streams if s.get('codec_type') == 'video' and not _is_cover(s)]
    if not video:
        raise UserError(
            f'{shown(path)} is no video that ffmpeg can read ({errors or "it has no images"}). '
            'Copy the file again from its source, or convert it.'
        )
    stream = video[0]
    if not stream.get('width') or not stream.get('height'):
        raise UserError(f'{shown(path)} declares no size; copy it again, or convert it')
    times, has_gaps = _frame_times(path)
    rate, constant = _rate(stream, times, has_gaps)
    if not rate:
        raise UserError(f'{shown(path)} declares no frame rate; convert it to another format')
    rotations = [int(data.get('rotation', 0)) for data in stream.get('side_data_list', ())]
    width, height = int(stream['width']), int(stream['height'])
    aspect = _fraction(stream.get('sample_aspect_ratio')) or Fraction(1)
    if any(abs(rotation) % 180 == 90 for rotation in rotations):
        width, height, aspect = height, width, 1 / aspect
    frames, exactly = _declared_frames(stream, container, rate, constant, len(times))
    return VideoInfo(
        width=width,
        height=height,
        rate=rate,
        declared_frames=frames,
        declared_exactly=exactly,
        constant_rate=constant,
        has_audio=any(s.get('codec_type') == 'audio' for s in streams),
        colour_tags=_colour_tags(stream),
        pixel_aspect=aspect,
        start_seconds=_start(stream, container) if constant else 0.0,
        losses=tuple(_losses(stream, streams, len(video))),
    )


def _run(path: Path, *arguments: str) -> tuple[bytes, str]:
    """Return ffprobe's output, empty if it failed, and its error messages."""
    command = ['ffprobe', '-v', 'error', *arguments, f'file:{path}']
    done = subprocess.run(command, capture_output=True, check=False, start_new_session=True)  # noqa: S603
    errors = ' '.join(done.stderr.decode('utf-8', 'replace').split())
    return (b'' if done.returncode else done.stdout), errors


def _frame_times(path: Path) -> tuple[NDArray[np.float64], bool]:
    """Return the sorted presentation times of frames, in seconds, and whether some are missing."""
    entries = ('-select_streams', 'V:0', '-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0')
    stdout, _ = _run(path, *entries)
    rows = [line.split(',') for line in stdout.decode('ascii', 'replace').split()]
    presented = [row[0] for row in rows if len(row) > 1 and 'D' not in row[1]]
    known = [float(time) for time in presented if time != 'N/A']
    return np.sort(np.array(known)), len(known) < len(presented)


def _rate(stream: _Fields, times: NDArray[np.float64], has_gaps: bool) -> tuple[Fraction, bool]:
    """Return the frame rate, and whether all frames have the same duration."""
    declared = [_fraction(stream.get(name)) for name in ('r_frame_rate', 'avg_frame_rate')]
    declared = [rate for rate in declared if rate]
    if has_gaps or len(times) < 2 or times[-1] <= times[0]:
        return (declared[-1] if declared else Fraction(0)), True
    offsets = times - times[0]
    for rate in declared:
        grid = np.arange(len(offsets)) / float(rate)
        if np.abs(offsets - grid).max() <= _GRID_TOLERANCE / float(rate):
            return rate, True
    mean = (len(offsets) - 1) / offsets[-1]
    near = [rate for rate in declared if 1 / _NEAR_MEAN <= float(rate) / mean <= _NEAR_MEAN]
    return (near[0] if near else Fraction(mean).limit_denominator(1001)), False


def _declared_frames(
    stream: _Fields, container: _Fields, rate: Fraction, constant: bool, packets: int
) -> tuple[int | None, bool]:
    """Return the declared number of frames, and whether it was counted."""
    if constant and stream.get('nb_frames'):
        return max(int(stream['nb_frames']), packets), True
    durations = (
        stream.get('duration'),
        stream.get('tags', {}).get('DURATION'),
        container.get('duration'),
    )
    seconds = next(filter(None, map(_seconds, durations)), 0.0)
    expected = round(seconds * float(rate))
    if constant and packets >= expected:
        return packets or None, True
    return expected or None, False


def _start(stream: _Fields, container: _Fields) -> float:
    """Return the time of the first frame after the start of the file, in seconds."""
    first, begin = stream.get('start_time'), container.get('start_time')
    return max(float(first) - float(begin), 0.0) if first and begin else 0.0


def _colour_tags(stream: _Fields) -> tuple[tuple[str, str], ...]:
    tags = [(option, stream.get(name)) for name, option in _COLOUR_TAGS.items()]
    return tuple(
        (option, value)
        for option, value in tags
        if value not in (None, 'unknown', 'reserved')
        and (option != '-colorspace' or value in MATRICES)
    )


def _losses(stream: _Fields, streams: Sequence[_Fields], videos: int) -> list[str]:
    """Return messages about what of the file is not kept."""
    losses = []
    if any(word in stream.get('pix_fmt', '') for word in _DEEP):
        losses.append('the source has more than 8 bits per colour; the result has 8')
    if stream.get('field_order') in ('tt', 'bb', 'tb', 'bt'):
        losses.append('the source is interlaced; its frames were restored as they are')
    others = sum(s.get('codec_type') in ('data', 'attachment') or _is_cover(s) for s in streams)
    others += videos - 1
    if others:
        losses.append(f'{others} streams of other kinds (data, cover, second image) left out')
    return losses


def _is_cover(stream: _Fields) -> bool:
    return bool(stream.get('disposition', {}).get('attached_pic'))


def _fraction(text: str | None) -> Fraction:
    """Read '30000/1001' or '4:3'; 0 if there is none."""
    try:
        return max(Fraction((text or '0').replace(':', '/')), Fraction(0))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _seconds(text: str | None) -> float:
    """Read seconds, or hours:minutes:seconds; 0 if there are none."""
    try:
        parts = [float(part) for part in (text or '0').split(':')]
    except ValueError:
        return 0.0
    return float(sum(part * 60**place for place, part in enumerate(reversed(parts))))
