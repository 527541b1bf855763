"""Videos by the programs ffmpeg and ffprobe: sound, times of frames, bits and colour tags are kept."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Sequence
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, cast

import numpy as np

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import PixelArray

from .backend import Segment, VideoBackend, VideoInfo
from .encoding import Encoding
from .encoding_choice import choose_encoding
from .ffmpeg_process import FfmpegProcess, file_url, muxer, source_input
from .ffprobe import MATRICES, not_kept, probe
from .frame_times import durations, parse_times, set_durations
from .stream_copies import StreamCopies, plan_copies

#: Milliseconds that the only frame of a live stream is shown.
_ONLY_FRAME = 40


class FfmpegBackend(VideoBackend):
    """Reads by ffmpeg, encodes by its best encoder and joins segments without encoding again.

    Args:
        deinterlace: Whether fields are made to whole frames.
        codec: A name of `CODECS`, or an encoder of ffmpeg; empty chooses by source and output.
        encoder_options: Options of the encoder, as on a command line.
    """

    name = 'Ffmpeg'  # as in the state files of version 0.1.0
    segment_suffix = '.mp4'

    def __init__(
        self, deinterlace: bool = True, codec: str = '', encoder_options: str = ''
    ) -> None:
        self._deinterlace = deinterlace
        self._codec, self._encoder_options = codec, encoder_options
        self._encoding = Encoding('libx264', 'yuv420p')
        self._copies = StreamCopies()
        self._times: list[int] | None = None
        self._changed = False

    def read_info(self, path: Path) -> VideoInfo:
        """Return the properties that ffprobe reports."""
        return probe(path)

    def prepare(self, source: Path, output: Path, info: VideoInfo) -> list[str]:
        """Choose the encoder and the streams to copy, by trying them."""
        self._encoding = choose_encoding(
            info, output.suffix.lower(), self._codec, self._encoder_options
        )
        self.segment_suffix = self._encoding.segments
        self._copies = plan_copies(source, info.streams, output.suffix)
        notes = [*self._encoding.notes, *self._copies.notes]
        if info.interlaced:
            notes.append(
                'the source is interlaced: deinterlaced by bwdif, one frame for two fields'
                if self._deinterlace
                else 'the source is interlaced; its frames were restored as they are'
            )
        return notes

    @property
    def keeps_audio(self) -> bool:
        """Whether the output will have sound."""
        return self._copies.has_audio

    def encoding_identity(self, info: VideoInfo) -> dict[str, object]:
        """Return what differs from H.264 of 8 bits as version 0.1.0 wrote it."""
        odd = info.width % 2 or info.height % 2
        usual = self._encoding.pixel_format == ('yuv444p' if odd else 'yuv420p')
        found: dict[str, object] = {}
        if not usual or self._encoding.codec != 'libx264':
            found['encoding'] = f'{self._encoding.codec} {self._encoding.pixel_format}'
        if self._encoder_options:
            found['encoder_options'] = self._encoder_options
        if info.interlaced and self._deinterlace:
            found['deinterlaced'] = info.interlaced
        if not info.constant_rate:
            found['times'] = 'kept'
        return found

    def read_frames(
        self, path: Path, info: VideoInfo, skip: int
    ) -> Generator[PixelArray, None, None]:
        """Yield frames from a pipe; skipped ones are decoded and dropped, which is exact."""
        kind = np.dtype(np.uint16 if self._encoding.deep else np.uint8)
        channels = 4 if self._encoding.alpha else 3
        with TemporaryFile() as times:
            process = FfmpegProcess(
                self._read_arguments(path, info, skip, times.fileno()),
                pass_fds=[times.fileno()],
                stdout=subprocess.PIPE,
            )
            frame: PixelArray = np.empty((info.height, info.width, channels), kind)
            try:
                stream = cast('BufferedReader', process.popen.stdout)
                while stream.readinto(frame.data.cast('B')) == frame.nbytes:
                    yield frame
                    frame = np.empty_like(frame)
                if process.popen.wait() < 0:
                    signal = -process.popen.returncode
                    raise UserError(f'{shown(path)}: ffmpeg was ended by signal {signal}')
                self.read_errors = process.errors()
                self._changed = process.frames_changed()
                times.seek(0)
                self._times = parse_times(times.read().decode('ascii', 'replace'))
            finally:
                process.kill()

    def _read_arguments(self, path: Path, info: VideoInfo, skip: int, times: int) -> list[str]:
        """Return ffmpeg's arguments for reading frames; the time of each is written to a file."""
        # A new size in the stream would begin a new graph of filters, which counts from 0. ffmpeg turns
        # frames before these filters, and its filter for that cannot take another size.
        begin = [] if info.rotated else ['-reinit_filter', '0']
        filters = [f'metadata=add:key=n:value=1,metadata=print:file=pipe\\\\:{times}:direct=1']
        filters += [f'scale={info.width}:{info.height}']
        if info.interlaced and self._deinterlace:
            filters.append(_bwdif(info))
        filters += [f'select=gte(n\\,{skip})'] if skip else []
        # All frames are numbered anew, so that ffmpeg neither repeats nor drops one; its option for that
        # differs by version.
        filters += [f'setpts=N/({info.rate})/TB']
        decoder = ['-c:V:0', info.decoder] if self._encoding.alpha and info.decoder else []
        return [
            *begin, *decoder, *source_input(path), '-map', '0:V:0', '-vf', ','.join(filters),
            '-r', str(info.rate), '-f', 'rawvideo', '-pix_fmt', self._encoding.pipe_format, 'pipe:1',
        ]  # fmt: skip

    def segment_writer(self, path: Path, info: VideoInfo, quality: int) -> _PipeWriter:
        """Return a writer of the chosen encoding."""
        return _PipeWriter(path, info, self._encoding, quality)

    def join(
        self, segments: Sequence[Segment], source: Path, output: Path, info: VideoInfo
    ) -> list[str]:
        """Join the segments; copy sound, subtitles and metadata from the source."""
        names = segments[0].path.with_name('segments.txt')
        names.write_text(_segment_list(segments, info))
        images = ['-f', 'concat', '-i', file_url(names)]
        notes = []
        if self._changed:
            notes.append(
                'the size or pixel format of the images changes on the way; all were scaled to '
                f'{info.width}x{info.height}'
            )
        if not info.constant_rate:
            timed = self._write_timed(segments, names, info)
            if timed is None:
                reason = (
                    'variable times of frames cannot be kept beside transparency in VP8 and VP9'
                    if self.segment_suffix == '.mkv'
                    else 'the times of the frames are not in order'
                )
                notes.append(
                    f'{reason}: each frame lasts 1/{float(info.rate):.3f} s, and sound may be out of step'
                )
            else:
                images = ['-i', file_url(timed)]
        # Names such as com.apple.quicktime.model are written to .mov and .mp4 by this flag only.
        named = '+use_metadata_tags' if any('.' in name for name in info.metadata) else ''
        tags = [word for tag in info.tags for word in ('-metadata:s:v:0', '='.join(tag))]
        arguments = [
            '-itsoffset', f'{info.start_seconds:.6f}', *images, *source_input(source),
            '-map', '0:v:0', '-map_metadata', '1', '-map_chapters', '1', '-c', 'copy', *tags,
            *self._copies.arguments, '-movflags', f'+faststart{named}', '-f', muxer(output.suffix),
        ]  # fmt: skip
        _run_ffmpeg(output, arguments)
        return notes + not_kept(info, output, self._encoding.alpha)

    def write_live(self, segment: Path, times: Sequence[int], output: Path) -> None:
        """Write the file of a live stream.

        Args:
            segment: File of a `segment_writer` with all frames.
            times: When each frame is shown, in milliseconds, rising; the first is 0.
            output: File to write.

        Raises:
            UserError: It cannot be written.
        """
        steps = durations(times) if len(times) > 1 else [_ONLY_FRAME]
        set_durations(segment, steps, 1000)
        words = ['-c', 'copy', '-movflags', '+faststart', '-f', muxer(output.suffix)]
        _run_ffmpeg(output, ['-i', file_url(segment), *words])

    def _write_timed(
        self, segments: Sequence[Segment], names: Path, info: VideoInfo
    ) -> Path | None:
        """Join the segments with the times of the source; return None if these are not known."""
        times, frames = self._times, sum(segment.frames for segment in segments)
        if not times or len(times) != frames or not info.timescale:
            return None
        steps = durations(times)
        if min(steps) <= 0:
            return None
        if self.segment_suffix == '.mkv':
            return None
        path = names.with_name(f'timed{self.segment_suffix}')
        kind = muxer(path.suffix)
        _run_ffmpeg(path, ['-f', 'concat', '-i', file_url(names), '-c', 'copy', '-f', kind])
        set_durations(path, steps, info.timescale)
        return path


def _run_ffmpeg(output: Path, arguments: Sequence[str]) -> None:
    process = FfmpegProcess(['-y', *arguments, file_url(output)])
    if not process.succeeded():
        raise UserError(f'{shown(output)} cannot be written by ffmpeg: {process.errors()}')


def _bwdif(info: VideoInfo) -> str:
    """Return the filter that makes one frame of two fields."""
    if info.interlaced == 'marked':
        return 'bwdif=mode=send_frame:parity=auto:deint=interlaced'
    return f'bwdif=mode=send_frame:parity={"tff" if info.interlaced == "top" else "bff"}:deint=all'


def _segment_list(segments: Sequence[Segment], info: VideoInfo) -> str:
    """Return ffmpeg's list of files to join, with durations by frames and not as the files declare."""
    lines, frames, begin = [], 0, 0
    for segment in segments:
        frames += segment.frames
        end = round(frames / info.rate * 1_000_000)  # rounded as a whole, so that no error adds up
        lines.append(f"file '{segment.path.name}'\nduration {end - begin}us\n")
        begin = end
    return ''.join(lines)


class _PipeWriter:
    """Sends frames to an ffmpeg process; as a context, it completes the file or ends the process."""

    def __init__(self, path: Path, info: VideoInfo, encoding: Encoding, quality: int) -> None:
        self._path = path
        matrix = MATRICES.get(dict(info.colour_tags).get('-colorspace', ''))
        filters = [f'scale=out_color_matrix={matrix}'] if matrix else []
        filters.append(f'setsar={info.pixel_aspect.numerator}/{info.pixel_aspect.denominator}')
        filters += encoding.filters
        arguments = [
            '-y', *encoding.device, '-f', 'rawvideo', '-pix_fmt', encoding.pipe_format,
            '-s', f'{info.width}x{info.height}', '-framerate', str(info.rate), '-i', 'pipe:0',
            '-vf', ','.join(filters), *encoding.arguments(quality),
            *(word for tag in info.colour_tags for word in tag), '-f', muxer(path.suffix),
            file_url(path),
        ]  # fmt: skip
        self._process = FfmpegProcess(arguments, stdin=subprocess.PIPE)
        self._stdin = cast('IO[bytes]', self._process.popen.stdin)

    def write(self, frame: PixelArray) -> None:
        """Send a frame."""
        try:
            self._stdin.write(np.ascontiguousarray(frame).data.cast('B'))
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
