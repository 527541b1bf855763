"""Times of frames of unequal duration, written into an .mp4 file.

The box `stts` (ISO/IEC 14496-12, 8.6.1.2) lists the durations of samples in decoding order, which is that
of display where there are no B-frames. It is replaced, with the timescale of its track. Durations of the
whole file are left as they are: the file is only read by ffmpeg, which goes by the samples.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import IO

#: Boxes that contain boxes on the way to `stts`.
_CONTAINERS = (b'moov', b'trak', b'mdia', b'minf', b'stbl')


def durations(times: Sequence[int]) -> list[int]:
    """Return the duration of each frame; the last one lasts as long as the one before.

    Example:
        >>> durations([0, 40, 120])
        [40, 80, 80]
    """
    steps = [after - before for before, after in pairwise(times)]
    return [*steps, steps[-1]] if steps else [1] * len(times)


def set_durations(path: Path, steps: Sequence[int], timescale: int) -> None:
    """Write the durations of the frames of an .mp4 file.

    Args:
        path: File with one video stream, without B-frames, whose `moov` box stands after the images.
        steps: Duration of each frame.
        timescale: Their units per second.

    Raises:
        ValueError: The file has another structure.
    """
    with path.open('rb+') as stream:
        position, size = _find_moov(stream)
        stream.seek(position)
        moov = stream.read(size)
        stream.seek(position)
        stream.write(_rewritten(moov, list(steps), timescale))
        stream.truncate()


def _find_moov(stream: IO[bytes]) -> tuple[int, int]:
    """Return position and size of the box `moov`, which must be the last one."""
    end, position = stream.seek(0, 2), 0
    while position + 8 <= end:
        stream.seek(position)
        size, kind = struct.unpack('>I4s', stream.read(8))
        if size == 1:
            (size,) = struct.unpack('>Q', stream.read(8))
        if size < 8:
            break
        if kind == b'moov' and position + size == end:
            return position, size
        position += size
    raise ValueError('no box moov at the end')


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position < len(content):
        size, kind = struct.unpack_from('>I4s', content, position)
        if size < 8:
            raise ValueError(f'box {kind!r} has size {size}')
        yield kind, content[position + 8 : position + size]
        position += size


def _rewritten(content: bytes, steps: list[int], timescale: int) -> bytes:
    """Return boxes with the new times."""
    parts = []
    for kind, body in _boxes(content):
        if kind != b'edts':  # the times begin at 0
            new = _new_body(kind, body, steps, timescale)
            parts.append(struct.pack('>I4s', len(new) + 8, kind) + new)
    return b''.join(parts)


def _new_body(kind: bytes, body: bytes, steps: list[int], timescale: int) -> bytes:
    if kind in _CONTAINERS:
        return _rewritten(body, steps, timescale)
    if kind == b'stts':
        runs = [(len(list(group)), step) for step, group in groupby(steps)]
        return struct.pack('>II', 0, len(runs)) + b''.join(struct.pack('>II', *run) for run in runs)
    if kind == b'mdhd':
        # Version 1; the last four bytes are the language and a reserved number.
        begin = struct.pack('>I', 1 << 24) + bytes(16)
        return begin + struct.pack('>IQ', timescale, sum(steps)) + body[-4:]
    return body


def parse_times(printed: str) -> list[int] | None:
    r"""Read the times that ffmpeg's filter `metadata=print` wrote; None if a frame has no time.

    Example:
        >>> parse_times('frame:0 pts:0 pts_time:0\nn=1\nframe:1 pts:40 pts_time:0.04\n')
        [0, 40]
    """
    found = re.findall(r'^frame:\s*\d+\s+pts:\s*(\S+)', printed, re.MULTILINE)
    if not all(re.fullmatch(r'-?\d+', time) for time in found):
        return None
    return [int(time) for time in found]
