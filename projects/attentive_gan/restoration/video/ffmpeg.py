"""Videos by the programs ffmpeg and ffprobe: sound, exact rates and colour tags are kept."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Generator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

import numpy as np

from attentive_gan.errors import UserError, shown

from .ffprobe import MATRICES, probe
from .files import Frame, FrameWriter, Segment, VideoInfo, VideoTool

_QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error']


def ffmpeg_is_there() -> bool:
    """Return whether both programs can be started."""
    return shutil.which('ffmpeg') is not None and shutil.which('ffprobe') is not None


class Ffmpeg(VideoTool):
    """Reads by ffmpeg, encodes H.264 by libx264 and joins without encoding again."""

    segment_suffix = '.mp4'  # Matroska would round times to milliseconds

    def facts(self, path: Path) -> VideoInfo:
        """Return what ffprobe says."""
        return probe(path)

    def frames(self, path: Path, facts: VideoInfo, skip: int) -> Generator[Frame, None, None]:
        """Yield frames from a pipe; those skipped are decoded and dropped, which is exact."""
        # Frames of unequal length are repeated or dropped to a constant rate. All are then numbered anew,
        # so that ffmpeg itself neither repeats nor drops one; its option for that differs by version.
        filters = [] if facts.constant_rate else [f'fps={facts.rate}']
        filters += [f'select=gte(n\\,{skip})'] if skip else []
        filters += [f'setpts=N/({facts.rate})/TB']
        words = [
            'ffmpeg', *_QUIET, '-i', _argument(path), '-map', '0:V:0', '-vf', ','.join(filters),
            '-r', str(facts.rate), '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1',
        ]  # fmt: skip
        process = _started(words, stdout=subprocess.PIPE)
        errors = _Drain(process.stderr)
        frame = np.empty((facts.height, facts.width, 3), np.uint8)
        try:
            stream = cast('BufferedReader', process.stdout)
            while stream.readinto(frame.data) == frame.nbytes:
                yield frame
                frame = np.empty_like(frame)
            if process.wait() < 0:
                raise UserError(f'{shown(path)}: ffmpeg was ended by signal {-process.returncode}')
            self.complaint = errors.text()
        finally:
            process.kill()
            process.wait()

    def segment_writer(self, path: Path, facts: VideoInfo, quality: int) -> FrameWriter:
        """Return a writer of H.264; 4:2:0, or 4:4:4 where a side is odd."""
        return _PipeWriter(path, facts, quality)

    def join(
        self, segments: Sequence[Segment], source: Path, target: Path, facts: VideoInfo
    ) -> list[str]:
        """Join the segments; copy sound, subtitles and metadata from the source."""
        names = segments[0].path.with_name('segments.txt')
        names.write_text(_list_of(segments, facts))
        kind = {'.mkv': 'matroska', '.mov': 'mov'}.get(target.suffix.lower(), 'mp4')
        head = [
            'ffmpeg', *_QUIET, '-y', '-itsoffset', f'{facts.start:.6f}', '-f', 'concat',
            '-i', _argument(names), '-i', _argument(source),
            '-map', '0:v:0', '-map_metadata', '1', '-map_chapters', '1', '-c', 'copy',
        ]  # fmt: skip
        tail = ['-movflags', '+faststart', '-f', kind, _argument(target)]
        sound, subtitles = ['-map', '1:a?'], ['-map', '1:s?']
        converted = ['-c:s', 'srt' if kind == 'matroska' else 'mov_text']
        attempts = [
            ([*sound, *subtitles], ''),
            ([*sound, *subtitles, *converted], 'subtitles were converted to a kind that this file holds'),
            (sound, 'subtitles were left out: their kind does not fit into this file'),
            ([*sound, '-c:a', 'aac'], 'sound was encoded again as AAC; subtitles were left out'),
        ]  # fmt: skip
        notes, reason = [], ''
        if facts.width % 2 or facts.height % 2:
            notes.append('odd sides: written as H.264 in 4:4:4, which some players cannot show')
        for extra, note in attempts:
            process = _started([*head, *extra, *tail])
            _, told = process.communicate()
            if process.returncode == 0:
                return [*notes, note] if note else notes
            reason = ' '.join(told.decode('utf-8', 'replace').split())
        raise UserError(f'{shown(target)} cannot be written by ffmpeg: {reason}')


def _list_of(segments: Sequence[Segment], facts: VideoInfo) -> str:
    """Return ffmpeg's list of files to join, each as long as its frames and not as its file says."""
    lines, frames, begin = [], 0, 0
    for segment in segments:
        frames += segment.frames
        end = round(frames / facts.rate * 1_000_000)  # rounded as a whole, so that nothing adds up
        lines.append(f"file '{segment.path.name}'\nduration {end - begin}us\n")
        begin = end
    return ''.join(lines)


def _started(words: Sequence[str], **pipes: int) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: Ctrl-C reaches this process only, which then ends it."""
    return subprocess.Popen(  # noqa: S603
        words, stderr=subprocess.PIPE, start_new_session=True, **pipes
    )  # type: ignore[call-overload]


class _PipeWriter(FrameWriter):
    """Sends frames to an ffmpeg process."""

    def __init__(self, path: Path, facts: VideoInfo, quality: int) -> None:
        self._path = path
        # Without frames that are stored in another order: their delay differs in a last segment of few
        # frames, and the joined file would say a wrong length.
        odd = facts.width % 2 or facts.height % 2
        colour = [word for tag in facts.colour for word in tag]
        matrix = MATRICES.get(dict(facts.colour).get('-colorspace', ''))
        filters = [f'scale=out_color_matrix={matrix}'] if matrix else []
        filters.append(f'setsar={facts.pixel_aspect.numerator}/{facts.pixel_aspect.denominator}')
        words = [
            'ffmpeg', *_QUIET, '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24',
            '-s', f'{facts.width}x{facts.height}', '-framerate', str(facts.rate), '-i', 'pipe:0',
            '-vf', ','.join(filters), '-c:v', 'libx264', '-crf', str(quality), '-preset', 'medium',
            '-bf', '0', '-pix_fmt', 'yuv444p' if odd else 'yuv420p', *colour, '-f', 'mp4', _argument(path),
        ]  # fmt: skip
        words.remove('-nostdin')
        self._process = _started(words, stdin=subprocess.PIPE)
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

    def abandon(self) -> None:
        """End the encoding; the file is of no use."""
        self._process.kill()
        self._process.wait()

    def _failure(self) -> UserError:
        self._process.wait()
        return UserError(f'{shown(self._path)} cannot be written by ffmpeg: {self._errors.text()}')


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
        """Return the last lines; empty where there is none."""
        self._thread.join(timeout=5)
        return ' '.join(b' '.join(self._lines).decode('utf-8', 'replace').split())


def _argument(path: Path) -> str:
    """Return a path that ffmpeg takes for a file, whatever its name."""
    return f'file:{path}'


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError('the process was started without this pipe')
    return stream
