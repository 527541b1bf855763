"""What ffprobe says about a video, and what follows from it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from attentive_gan.errors import UserError, shown

from .files import VideoInfo

#: Frames lie on a regular grid if none is further from its place, in parts of a frame's time. Containers
#: round times, Matroska to milliseconds.
_GRID_TOLERANCE = 0.6
#: A rate that the file names is taken for frames of unequal length if this factor off their mean at most.
_NEAR_MEAN = 1.5
#: ffprobe's fields of the colour space, with ffmpeg's options for them.
_COLOUR_TAGS = {
    'color_space': '-colorspace', 'color_primaries': '-color_primaries',
    'color_transfer': '-color_trc',
}  # fmt: skip
#: Colour matrices, with their names in ffmpeg's scaler; others are not written.
MATRICES = {
    'bt709': 'bt709', 'smpte170m': 'smpte170m', 'bt470bg': 'bt470', 'fcc': 'fcc',
    'smpte240m': 'smpte240m', 'bt2020nc': 'bt2020',
}  # fmt: skip
_DEEP = ('p10', 'p12', 'p14', 'p16', '48', '64')


def probe(path: Path) -> VideoInfo:
    """Return what a video says of itself.

    Args:
        path: The file; its packets are read through once, without decoding.

    Raises:
        UserError: It is no video that ffmpeg can read.
    """
    found, told = _ask(path, '-show_streams', '-show_format')
    streams = found.get('streams', [])
    video = [s for s in streams if s.get('codec_type') == 'video' and not _is_cover(s)]
    if not video:
        raise UserError(
            f'{shown(path)} is no video that ffmpeg can read ({told or "it has no images"}). '
            'Copy the file again from its source, or convert it.'
        )
    stream = video[0]
    if not stream.get('width') or not stream.get('height'):
        raise UserError(f'{shown(path)} does not say its size; copy it again, or convert it')
    times, has_gaps = _times(path)
    rate, constant = _rate(stream, times, has_gaps)
    if not rate:
        raise UserError(f'{shown(path)} says no frame rate; convert it to another format')
    turned = any(
        abs(int(data.get('rotation', 0))) % 180 == 90 for data in stream.get('side_data_list', ())
    )
    width, height = int(stream['width']), int(stream['height'])
    aspect = _fraction(stream.get('sample_aspect_ratio'), ':') or Fraction(1)
    announced, exactly = _announced(stream, found.get('format', {}), rate, constant, len(times))
    return VideoInfo(
        height if turned else width, width if turned else height, rate, announced, exactly, constant,
        any(s.get('codec_type') == 'audio' for s in streams), _colour(stream),
        1 / aspect if turned else aspect, _start(stream, found.get('format', {})) if constant else 0.0,
        tuple(_losses(stream, streams, len(video))),
    )  # fmt: skip


def _ask(path: Path, *words: str) -> tuple[dict[str, Any], str]:
    """Return ffprobe's answer, and what it complained about."""
    command = ['ffprobe', '-v', 'error', *words, '-of', 'json', f'file:{path}']
    done = subprocess.run(command, capture_output=True, check=False, start_new_session=True)  # noqa: S603
    told = ' '.join(done.stderr.decode('utf-8', 'replace').split())
    return (json.loads(done.stdout or b'{}') if not done.returncode else {}), told


def _times(path: Path) -> tuple[np.ndarray, bool]:
    """Return when frames are shown, in seconds, sorted; and whether some do not say."""
    command = [
        'ffprobe', '-v', 'error', '-select_streams', 'V:0', '-show_entries', 'packet=pts_time,flags',
        '-of', 'csv=p=0', f'file:{path}',
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, start_new_session=True)  # noqa: S603
    rows = [line.split(',') for line in done.stdout.decode('ascii', 'replace').split()]
    shown_rows = [row for row in rows if len(row) > 1 and 'D' not in row[1]]
    known = [float(row[0]) for row in shown_rows if row[0] != 'N/A']
    return np.sort(np.array(known)), len(known) < len(shown_rows)


def _rate(stream: dict[str, Any], times: np.ndarray, has_gaps: bool) -> tuple[Fraction, bool]:
    """Return the frame rate, and whether all frames last equally long."""
    named = [
        rate
        for name in ('r_frame_rate', 'avg_frame_rate')
        if (rate := _fraction(stream.get(name), '/'))
    ]
    if has_gaps or len(times) < 2:
        return (named[-1] if named else Fraction(0)), True
    places = times - times[0]
    for rate in named:
        grid = np.arange(len(places)) / float(rate)
        if np.abs(places - grid).max() <= _GRID_TOLERANCE / float(rate):
            return rate, True
    if places[-1] <= 0:
        return (named[-1] if named else Fraction(0)), True
    mean = (len(places) - 1) / places[-1]
    near = [rate for rate in named if 1 / _NEAR_MEAN <= float(rate) / mean <= _NEAR_MEAN]
    return (near[0] if near else Fraction(mean).limit_denominator(1001)), False


def _announced(
    stream: dict[str, Any], container: dict[str, Any], rate: Fraction, constant: bool, packets: int
) -> tuple[int | None, bool]:
    """Return how many frames the file says it has, and whether it counted them."""
    if constant and stream.get('nb_frames'):
        return max(int(stream['nb_frames']), packets), True
    duration = (
        _seconds(stream.get('duration'))
        or _seconds(stream.get('tags', {}).get('DURATION'))
        or _seconds(container.get('duration'))
    )
    expected = round(duration * float(rate))
    if constant and packets >= expected:
        return packets or None, True
    return expected or None, False


def _start(stream: dict[str, Any], container: dict[str, Any]) -> float:
    """Return how long after the file's beginning the first frame is shown, in seconds."""
    first, begin = stream.get('start_time'), container.get('start_time')
    return max(float(first) - float(begin), 0.0) if first and begin else 0.0


def _colour(stream: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    tags = [(option, stream.get(name)) for name, option in _COLOUR_TAGS.items()]
    return tuple(
        (option, value)
        for option, value in tags
        if value not in (None, 'unknown', 'reserved')
        and (option != '-colorspace' or value in MATRICES)
    )


def _losses(stream: dict[str, Any], streams: Sequence[dict[str, Any]], videos: int) -> list[str]:
    """Return what of the file is not kept."""
    losses = []
    if any(word in stream.get('pix_fmt', '') for word in _DEEP):
        losses.append('the source has more than 8 bits per colour; the result has 8')
    if stream.get('field_order') in ('tt', 'bb', 'tb', 'bt'):
        losses.append('the source is interlaced; its frames were restored as they are')
    others = sum(s.get('codec_type') in ('data', 'attachment') or _is_cover(s) for s in streams)
    if others or videos > 1:
        losses.append(
            f'{others + videos - 1} streams of other kinds (data, cover, second image) left out'
        )
    return losses


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get('disposition', {}).get('attached_pic'))


def _fraction(text: str | None, mark: str) -> Fraction:
    above, _, below = (text or '').partition(mark)
    valid = above.isdecimal() and below.isdecimal() and int(below)
    return Fraction(int(above), int(below)) if valid else Fraction(0)


def _seconds(text: str | None) -> float:
    """Read seconds, or hours:minutes:seconds; 0 where there is none."""
    try:
        parts = [float(part) for part in (text or '0').split(':')]
    except ValueError:
        return 0.0
    return sum(part * 60**place for place, part in enumerate(reversed(parts)))
