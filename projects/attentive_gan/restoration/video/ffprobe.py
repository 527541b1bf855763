"""Properties of a video, read by ffprobe."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError, shown

from .backend import OtherStream, VideoInfo
from .encoders import has_decoder
from .ffmpeg_process import source_input
from .hdr_metadata import light_level, mastering_display
from .pixel_formats import has_transparency, is_deep
from .stream_details import image_details, image_tags, stream_names

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
#: Names of ffprobe that ffmpeg's options spell in another way.
_OPTION_NAMES = {
    ('color_transfer', 'bt470bg'): 'gamma28', ('color_transfer', 'bt470m'): 'gamma22',
}  # fmt: skip
#: Metadata of a file itself, which the output has its own of.
_OF_THE_FILE = {
    'major_brand', 'minor_version', 'compatible_brands', 'encoder', 'software', 'duration',
}  # fmt: skip
#: Number of frames at the start that are decoded to see whether they are interlaced.
_LOOKED_AT = 20

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
    if 'not on whitelist' in errors:
        raise UserError(
            f'{shown(path)} is a playlist, a list of files or of another kind that is not read as a video. '
            'Convert it to .mp4 or .mkv.'
        )
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
    first_frames = _first_frames(path)
    side_data = [
        data for part in (*first_frames[:1], stream) for data in part.get('side_data_list', ())
    ]
    pixel_format = stream.get('pix_fmt', '')
    width, height = int(stream['width']), int(stream['height'])
    aspect = _fraction(stream.get('sample_aspect_ratio')) or Fraction(1)
    if any(abs(rotation) % 180 == 90 for rotation in rotations):
        width, height, aspect = height, width, 1 / aspect
    alpha, decoder, losses = _transparency(stream)
    frames, exactly = _declared_frames(stream, container, rate, constant, times)
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
        start_seconds=_start(stream, container),
        losses=losses,
        alpha=alpha,
        decoder=decoder,
        pixel_format=pixel_format,
        deep=is_deep(pixel_format),
        mastering_display=mastering_display(side_data),
        light_level=light_level(side_data),
        interlaced=_interlaced(stream, first_frames),
        rotated=any(rotations),
        timescale=_timescale(stream),
        metadata=tuple(sorted(_metadata_names(container))),
        details=tuple(sorted(image_details(stream, first_frames))),
        tags=tuple(image_tags(stream, streams, container).items()),
        stream_names=tuple(_names(streams)),
        streams=tuple(_other_streams(streams, stream)),
    )


def _transparency(stream: _Fields) -> tuple[bool, str, tuple[str, ...]]:
    """Return whether there is transparency that can be read, the decoder for it, and messages."""
    decoder = {'vp8': 'libvpx', 'vp9': 'libvpx-vp9'}.get(stream.get('codec_name', ''), '')
    if not has_transparency(stream):
        return False, '', ()
    if decoder and not has_decoder(decoder):  # ffmpeg's own decoders of VP8 and VP9 leave it out
        return False, '', (f'transparency is lost: the installed ffmpeg has no decoder {decoder}',)
    return True, decoder, ()


def _run(path: Path, *arguments: str) -> tuple[bytes, str]:
    """Return ffprobe's output, empty if it failed, and its error messages."""
    command = ['ffprobe', '-v', 'error', *arguments, *source_input(path)]
    done = subprocess.run(command, capture_output=True, check=False, start_new_session=True)  # noqa: S603
    errors = ' '.join(done.stderr.decode('utf-8', 'replace').split())
    return (b'' if done.returncode else done.stdout), errors


def _frame_times(path: Path) -> tuple[NDArray[np.float64], bool]:
    """Return the sorted presentation times of frames, in seconds, and whether some are not known.

    If the decoding times go back, as in files that were put together of several, none says when a frame is
    shown.
    """
    entries = (
        '-select_streams', 'V:0', '-show_entries', 'packet=pts_time,dts_time,flags', '-of', 'csv=p=0',
    )  # fmt: skip
    stdout, _ = _run(path, *entries)
    rows = [line.split(',') for line in stdout.decode('ascii', 'replace').split()]
    presented = [row for row in rows if len(row) > 2 and 'D' not in row[2]]
    known = [float(row[0]) for row in presented if row[0] != 'N/A']
    decoded = [float(row[1]) for row in presented if row[1] != 'N/A']
    goes_back = any(after < before for before, after in pairwise(decoded))
    return np.sort(np.array(known)), len(known) < len(presented) or goes_back


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
    stream: _Fields, container: _Fields, rate: Fraction, constant: bool, times: NDArray[np.float64]
) -> tuple[int | None, bool]:
    """Return the declared number of frames, and whether it was counted."""
    packets = len(times)
    if stream.get('nb_frames'):
        counted = int(stream['nb_frames'])
        if container.get('format_name') != 'avi':
            return max(counted, packets), True
        # AVI counts empty chunks too, which stand for a repeated frame and have a time.
        per_second = float(_fraction(stream.get('r_frame_rate')))
        chunks = round((times[-1] - times[0]) * per_second) + 1 if packets else counted
        return packets + max(counted - chunks, 0), False
    if not constant:
        return packets or None, True
    # Matroska gives the time of the end instead of a duration.
    in_matroska = 'matroska' in container.get('format_name', '')
    begin = float(stream.get('start_time', 0)) if in_matroska else _start(stream, container)
    tag = _seconds(stream.get('tags', {}).get('DURATION'))
    end = tag or _seconds(container.get('duration'))
    seconds = _seconds(stream.get('duration')) or max(end - begin, 0.0)
    expected = round(seconds * float(rate))
    if packets >= expected:
        return packets or None, True
    return expected or None, False


def _start(stream: _Fields, container: _Fields) -> float:
    """Return the time of the first frame after the start of the file, in seconds."""
    first, begin = stream.get('start_time'), container.get('start_time')
    return max(float(first) - float(begin), 0.0) if first and begin else 0.0


def _colour_tags(stream: _Fields) -> tuple[tuple[str, str], ...]:
    found = []
    for name, option in _COLOUR_TAGS.items():
        value = str(stream.get(name, 'unknown'))
        known = (
            value in MATRICES if option == '-colorspace' else value not in ('unknown', 'reserved')
        )
        if known:
            found.append((option, _OPTION_NAMES.get((name, value), value)))
    return tuple(found)


def _first_frames(path: Path) -> list[_Fields]:
    """Return what ffprobe says of the first frames of the video."""
    stdout, _ = _run(
        path, '-select_streams', 'V:0', '-read_intervals', f'%+#{_LOOKED_AT}',
        '-show_frames', '-show_entries', 'frame=interlaced_frame:frame_side_data', '-of', 'json',
    )  # fmt: skip
    frames: list[_Fields] = json.loads(stdout or b'{}').get('frames', [])
    return frames


def _interlaced(
    stream: _Fields, frames: Sequence[_Fields]
) -> Literal['', 'marked', 'top', 'bottom']:
    if any(int(frame.get('interlaced_frame', 0)) for frame in frames):
        return 'marked'
    order = stream.get('field_order')
    return 'top' if order in ('tt', 'tb') else 'bottom' if order in ('bb', 'bt') else ''


def _timescale(stream: _Fields) -> int:
    """Return the units per second of a stream's times, 0 if they are not a whole number."""
    base = _fraction(stream.get('time_base'))
    return base.denominator if base.numerator == 1 and base.denominator < 2**31 else 0


def _other_streams(streams: Sequence[_Fields], restored: _Fields) -> Iterator[OtherStream]:
    """Yield all streams but the restored one."""
    for stream in streams:
        if stream is restored or _is_written_anew(stream):
            continue
        kind, reason = stream.get('codec_type', 'unknown'), ''
        if kind == 'video':
            kind, reason = ('cover', 'covers show the old images') if _is_cover(stream) else (
                'second image', 'only the first is restored'
            )  # fmt: skip
        codec = stream.get('codec_name') or stream.get('codec_tag_string') or 'unknown'
        yield OtherStream(int(stream['index']), kind, codec, reason)


def _is_written_anew(stream: _Fields) -> bool:
    """Return whether ffmpeg writes a stream from chapters or from the time code."""
    tag = stream.get('codec_tag_string')
    return stream.get('codec_type') == 'data' and tag in ('text', 'tmcd')


def not_kept(info: VideoInfo, output: Path, alpha: bool) -> list[str]:
    """Say what of a source an output does not have, by reading it.

    Args:
        info: The source.
        output: The written file, whose first video stream is the restored one.
        alpha: Whether its encoder was given the transparency.
    """
    stdout, _ = _run(output, '-show_streams', '-show_format', '-of', 'json')
    found = json.loads(stdout or b'{}')
    streams, container = found.get('streams', []), found.get('format', {})
    video = next(s for s in streams if s.get('codec_type') == 'video')
    frames = _first_frames(output) if info.details else []
    details = set(info.details) - image_details(video, frames)
    if not alpha:
        details.discard('transparency')  # said before the work
    notes = [f'{", ".join(sorted(details))} left out'] if details else []
    names = {*_names(streams), *_names([{**container, 'codec_type': 'container'}])}
    if lost := [
        f'{kind} {shown(name)}' for kind, name in info.stream_names if (kind, name) not in names
    ]:
        notes.append(f'names of streams left out: {", ".join(lost)}')
    if missing := sorted(set(info.metadata) - _metadata_names(container)):
        notes.append(f'metadata left out: {", ".join(map(shown, missing))}')
    return notes


def readable_codec(path: Path) -> str:
    """Return the codec of the first stream of a file, empty if ffmpeg does not know it."""
    stdout, _ = _run(path, '-show_entries', 'stream=codec_name', '-of', 'json')
    streams = json.loads(stdout or b'{}').get('streams') or [{}]
    return str(streams[0].get('codec_name', ''))


def _names(streams: Sequence[_Fields]) -> Iterator[tuple[str, str]]:
    for kind, values in stream_names(streams).items():
        yield from ((kind, value) for value in sorted(values))


def _metadata_names(container: _Fields) -> set[str]:
    names = {re.sub(r'-[a-z]{3}$', '', name.lower()) for name in container.get('tags', {})}
    return names - _OF_THE_FILE


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
