"""Videos by the programs ffmpeg and ffprobe: sound, exact rates and colour tags are kept."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Generator, Sequence
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, cast

import numpy as np

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import ImageArray

from .backend import Segment, VideoBackend, VideoInfo
from .ffprobe import MATRICES, probe


def ffmpeg_is_installed() -> bool:
    """Return whether both programs can be started."""
    return shutil.which('ffmpeg') is not None and shutil.which('ffprobe') is not None


class FfmpegBackend(VideoBackend):
    """Reads by ffmpeg, encodes H.264 by libx264 and joins segments without encoding again."""

    name = 'Ffmpeg'  # as in the state files of version 0.1.0
    segment_suffix = '.mp4'  # Matroska would round times to milliseconds

    def read_info(self, path: Path) -> VideoInfo:
        """Return the properties that ffprobe reports."""
        return probe(path)

    def read_frames(
        self, path: Path, info: VideoInfo, skip: int
    ) -> Generator[ImageArray, None, None]:
        """Yield frames from a pipe; skipped ones are decoded and dropped, which is exact."""
        # Frames of unequal duration are repeated or dropped to a constant rate. All are then numbered anew,
        # so that ffmpeg itself neither repeats nor drops one; its option for that differs by version.
        filters = [] if info.constant_rate else [f'fps={info.rate}']
        filters += [f'select=gte(n\\,{skip})'] if skip else []
        filters += [f'setpts=N/({info.rate})/TB']
        arguments = [
            '-i', _file(path), '-map', '0:V:0', '-vf', ','.join(filters),
            '-r', str(info.rate), '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1',
        ]  # fmt: skip
        process = _Process(arguments, stdout=subprocess.PIPE)
        frame = np.empty((info.height, info.width, 3), np.uint8)
        try:
            stream = cast('BufferedReader', process.popen.stdout)
            while stream.readinto(frame.data) == frame.nbytes:
                yield frame
                frame = np.empty_like(frame)
            if process.popen.wait() < 0:
                signal = -process.popen.returncode
                raise UserError(f'{shown(path)}: ffmpeg was ended by signal {signal}')
            self.read_errors = process.errors()
        finally:
            process.kill()

    def segment_writer(self, path: Path, info: VideoInfo, quality: int) -> _PipeWriter:
        """Return a writer of H.264; 4:2:0, or 4:4:4 if a side is odd."""
        return _PipeWriter(path, info, quality)

    def join(
        self, segments: Sequence[Segment], source: Path, output: Path, info: VideoInfo
    ) -> list[str]:
        """Join the segments; copy sound, subtitles and metadata from the source."""
        names = segments[0].path.with_name('segments.txt')
        names.write_text(_segment_list(segments, info))
        kind = {'.mkv': 'matroska', '.mov': 'mov'}.get(output.suffix.lower(), 'mp4')
        head = [
            '-y', '-itsoffset', f'{info.start_seconds:.6f}', '-f', 'concat',
            '-i', _file(names), '-i', _file(source),
            '-map', '0:v:0', '-map_metadata', '1', '-map_chapters', '1', '-c', 'copy',
        ]  # fmt: skip
        tail = ['-movflags', '+faststart', '-f', kind, _file(output)]
        sound, subtitles = ['-map', '1:a?'], ['-map', '1:s?']
        converted = ['-c:s', 'srt' if kind == 'matroska' else 'mov_text']
        attempts = [
            ([*sound, *subtitles], ''),
            ([*sound, *subtitles, *converted], 'subtitles were converted to a kind that fits this file'),
            (sound, 'subtitles were left out: their kind does not fit this file'),
            ([*sound, '-c:a', 'aac'], 'sound was encoded again as AAC; subtitles were left out'),
        ]  # fmt: skip
        notes = []
        if info.width % 2 or info.height % 2:
            notes.append('odd sides: written as H.264 in 4:4:4, which some players cannot show')
        for streams, note in attempts:
            process = _Process([*head, *streams, *tail])
            if process.popen.wait() == 0:
                return [*notes, note] if note else notes
        raise UserError(f'{shown(output)} cannot be written by ffmpeg: {process.errors()}')


def _segment_list(segments: Sequence[Segment], info: VideoInfo) -> str:
    """Return ffmpeg's list of files to join, with durations by frames and not as the files declare."""
    lines, frames, begin = [], 0, 0
    for segment in segments:
        frames += segment.frames
        end = round(frames / info.rate * 1_000_000)  # rounded as a whole, so that no error adds up
        lines.append(f"file '{segment.path.name}'\nduration {end - begin}us\n")
        begin = end
    return ''.join(lines)


class _Process:
    """A running ffmpeg; its error messages go to a temporary file, so that it never waits for a reader."""

    def __init__(self, arguments: Sequence[str], **pipes: int) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115 -- lives as long as the process
        # In a session of its own: Ctrl-C reaches this process only, which then ends it.
        self.popen: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603
            ['ffmpeg', '-hide_banner', '-nostdin', '-loglevel', 'error', *arguments],  # noqa: S607
            stderr=self._errors,
            start_new_session=True,
            **pipes,
        )

    def errors(self) -> str:
        """Return the last error messages; empty if there are none."""
        self._errors.seek(0)
        lines = self._errors.read().decode('utf-8', 'replace').splitlines()[-6:]
        return ' '.join(' '.join(lines).split())

    def kill(self) -> None:
        """End the process if it is still running."""
        self.popen.kill()
        self.popen.wait()


class _PipeWriter:
    """Sends frames to an ffmpeg process; as a context, it completes the file or ends the process."""

    def __init__(self, path: Path, info: VideoInfo, quality: int) -> None:
        self._path = path
        odd = info.width % 2 or info.height % 2
        matrix = MATRICES.get(dict(info.colour_tags).get('-colorspace', ''))
        filters = [f'scale=out_color_matrix={matrix}'] if matrix else []
        filters.append(f'setsar={info.pixel_aspect.numerator}/{info.pixel_aspect.denominator}')
        # No B-frames (-bf 0): their delay differs in a last segment of few frames, and the joined file
        # would declare a wrong duration.
        arguments = [
            '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24',
            '-s', f'{info.width}x{info.height}', '-framerate', str(info.rate), '-i', 'pipe:0',
            '-vf', ','.join(filters), '-c:v', 'libx264', '-crf', str(quality), '-preset', 'medium',
            '-bf', '0', '-pix_fmt', 'yuv444p' if odd else 'yuv420p',
            *(word for tag in info.colour_tags for word in tag), '-f', 'mp4', _file(path),
        ]  # fmt: skip
        self._process = _Process(arguments, stdin=subprocess.PIPE)
        self._stdin = cast('IO[bytes]', self._process.popen.stdin)

    def write(self, frame: ImageArray) -> None:
        """Send a frame."""
        try:
            self._stdin.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError as error:
            raise self._failure() from error

    def __enter__(self) -> _PipeWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()
            return
        try:
            self._stdin.close()
        except BrokenPipeError as broken:
            raise self._failure() from broken
        if self._process.popen.wait():
            raise self._failure()

    def _failure(self) -> UserError:
        self._process.popen.wait()
        errors = self._process.errors()
        return UserError(f'{shown(self._path)} cannot be written by ffmpeg: {errors}')


def _file(path: Path) -> str:
    """Return a path that ffmpeg takes for a file, whatever its name."""
    return f'file:{path}'
