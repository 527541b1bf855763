"""Videos by the programs ffmpeg and ffprobe: sound, exact rates and colour tags are kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from attentive_gan.errors import UserError, shown

from .video_files import Frame, FrameWriter, VideoFacts, VideoTool

#: Rates that differ by more are those of a video whose frames last differently long.
_RATE_TOLERANCE = 0.005
#: ffprobe's fields of the colour space, with ffmpeg's options for them.
_COLOUR_TAGS = {
    'color_space': '-colorspace', 'color_primaries': '-color_primaries',
    'color_transfer': '-color_trc',
}  # fmt: skip
_QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error']


def ffmpeg_is_there() -> bool:
    """Return whether both programs can be started."""
    return shutil.which('ffmpeg') is not None and shutil.which('ffprobe') is not None


class Ffmpeg(VideoTool):
    """Reads by ffmpeg, encodes H.264 by libx264 and joins without encoding again."""

    segment_suffix = '.mkv'

    def facts(self, path: Path) -> VideoFacts:
        """Return what ffprobe says."""
        words = ['ffprobe', '-v', 'error', '-show_streams', '-of', 'json', _argument(path)]
        done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603
        streams = json.loads(done.stdout or b'{}').get('streams', []) if not done.returncode else []
        video = [s for s in streams if s['codec_type'] == 'video' and not _is_cover(s)]
        if not video:
            told = ' '.join(done.stderr.decode('utf-8', 'replace').split())
            raise UserError(
                f'{shown(path)} is no video that ffmpeg can read ({told or "it has no pictures"}). '
                'Copy the file again from its source, or convert it.'
            )
        sound = any(s['codec_type'] == 'audio' for s in streams)
        return _facts_of(video[0], sound, path)

    def frames(self, path: Path, facts: VideoFacts, skip: int) -> Iterator[Frame]:
        """Yield frames from a pipe; those skipped are decoded and dropped, which is exact."""
        # Frames that last differently long are repeated or dropped to a constant rate.
        mode = 'passthrough' if facts.constant_rate else 'cfr'
        filters = ['-vf', f'select=gte(n\\,{skip})'] if skip and facts.constant_rate else []
        rate = [] if facts.constant_rate else ['-r', str(facts.rate)]
        words = [
            'ffmpeg', *_QUIET, '-i', _argument(path), '-map', '0:V:0', *filters, *rate,
            '-fps_mode', mode, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1',
        ]  # fmt: skip
        dropped = 0 if facts.constant_rate else skip
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
        errors = _Drain(process.stderr)
        size = facts.width * facts.height * 3
        try:
            while len(content := _read(process.stdout, size)) == size:
                if dropped:
                    dropped -= 1
                    continue
                yield np.frombuffer(content, np.uint8).reshape(facts.height, facts.width, 3)
            if process.wait():
                raise UserError(f'{shown(path)} cannot be read to its end: {errors.text()}')
        finally:
            process.kill()
            process.wait()

    def segment_writer(self, path: Path, facts: VideoFacts, quality: int) -> FrameWriter:
        """Return a writer of H.264; 4:2:0, or 4:4:4 where a side is odd."""
        return _PipeWriter(path, facts, quality)

    def join(
        self, segments: Sequence[Path], source: Path, target: Path, facts: VideoFacts
    ) -> list[str]:
        """Join the segments; copy sound, subtitles and metadata from the source."""
        names = segments[0].with_name('segments.txt')
        names.write_text(''.join(f"file '{segment.name}'\n" for segment in segments))
        kind = {'.mkv': 'matroska', '.mov': 'mov'}.get(target.suffix.lower(), 'mp4')
        head = [
            'ffmpeg', *_QUIET, '-y', '-f', 'concat', '-i', _argument(names), '-i', _argument(source),
            '-map', '0:v:0', '-map_metadata', '1', '-c', 'copy',
        ]  # fmt: skip
        tail = ['-movflags', '+faststart', '-f', kind, _argument(target)]
        notes: list[str] = []
        attempts = [
            (['-map', '1:a?', '-map', '1:s?'], ''),
            (['-map', '1:a?'], 'subtitles were left out: their kind does not fit into this file'),
            (['-map', '1:a?', '-c:a', 'aac'], 'sound was encoded again as AAC; subtitles left out'),
        ]
        reason = ''
        for extra, note in attempts:
            done = subprocess.run([*head, *extra, *tail], capture_output=True, check=False)  # noqa: S603
            if done.returncode == 0:
                return notes + ([note] if note else [])
            reason = ' '.join(done.stderr.decode('utf-8', 'replace').split())
        raise UserError(f'{shown(target)} cannot be written by ffmpeg: {reason}')


class _PipeWriter(FrameWriter):
    """Sends frames to an ffmpeg process."""

    def __init__(self, path: Path, facts: VideoFacts, quality: int) -> None:
        self._path = path
        odd = facts.width % 2 or facts.height % 2
        colour = [word for tag in facts.colour for word in tag]
        matrix = dict(facts.colour).get('-colorspace')
        scale = ['-vf', f'scale=out_color_matrix={matrix}'] if matrix in _MATRICES else []
        words = [
            'ffmpeg', *_QUIET, '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24',
            '-s', f'{facts.width}x{facts.height}', '-framerate', str(facts.rate), '-i', 'pipe:0',
            *scale, '-c:v', 'libx264', '-crf', str(quality), '-preset', 'medium',
            '-pix_fmt', 'yuv444p' if odd else 'yuv420p', *colour, '-f', 'matroska', _argument(path),
        ]  # fmt: skip
        words.remove('-nostdin')
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
        self._errors = _Drain(self._process.stderr)

    def write(self, frame: Frame) -> None:
        """Send a frame."""
        try:
            _pipe(self._process.stdin).write(np.ascontiguousarray(frame).tobytes())
        except BrokenPipeError as error:
            raise self._failure() from error

    def close(self) -> None:
        """Wait for the end of the encoding."""
        try:
            _pipe(self._process.stdin).close()
        except BrokenPipeError as error:
            raise self._failure() from error
        if self._process.wait():
            raise self._failure()

    def _failure(self) -> UserError:
        self._process.wait()
        return UserError(f'{shown(self._path)} cannot be written by ffmpeg: {self._errors.text()}')


#: Colour matrices that ffmpeg's scaler knows under the name of the tag.
_MATRICES = ('bt709', 'smpte170m', 'bt470bg', 'fcc', 'smpte240m', 'bt2020nc')


class _Drain:
    """Reads what a process complains about, so that it never waits for a reader."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._lines: list[bytes] = []
        self._thread = threading.Thread(target=self._run, args=(_pipe(stream),), daemon=True)
        self._thread.start()

    def _run(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._lines = [*self._lines[-5:], line]

    def text(self) -> str:
        """Return the last lines."""
        self._thread.join(timeout=5)
        return (
            ' '.join(b' '.join(self._lines).decode('utf-8', 'replace').split()) or 'no reason given'
        )


def _facts_of(stream: dict[str, Any], sound: bool, path: Path) -> VideoFacts:
    """Read the facts from ffprobe's description of a stream."""
    rates = [_fraction(stream.get(name)) for name in ('avg_frame_rate', 'r_frame_rate')]
    mean, base = rates
    rate = mean or base
    if not rate or not stream.get('width'):
        raise UserError(f'{shown(path)} says no size or frame rate; convert it to another format')
    constant = bool(base) and abs(rate - base) <= _RATE_TOLERANCE * base
    turned = any(
        abs(int(d.get('rotation', 0))) % 180 == 90 for d in stream.get('side_data_list', ())
    )
    size = int(stream['width']), int(stream['height'])
    frames = stream.get('nb_frames')
    colour = tuple(
        (option, stream[name]) for name, option in _COLOUR_TAGS.items()
        if stream.get(name) not in (None, 'unknown', 'reserved')
    )  # fmt: skip
    width, height = size[::-1] if turned else size
    exact = base if constant else rate
    return VideoFacts(
        width, height, exact, int(frames) if frames else None, constant, sound, colour
    )


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get('disposition', {}).get('attached_pic'))


def _fraction(text: str | None) -> Fraction:
    above, _, below = (text or '0/0').partition('/')
    return Fraction(int(above), int(below)) if int(below or 1) else Fraction(0)


def _argument(path: Path) -> str:
    """Return a path that ffmpeg takes for a file, whatever its name."""
    return f'file:{path}'


def _read(stream: IO[bytes] | None, size: int) -> bytes:
    return _pipe(stream).read(size)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError('the process was started without this pipe')
    return stream
