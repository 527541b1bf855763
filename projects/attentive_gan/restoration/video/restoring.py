"""Restoration of a video in constant memory, resumable."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

import numpy as np

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import MAX_PIXELS
from attentive_gan.image_io.headers import check_regular, too_large
from attentive_gan.image_io.pixels import to_uint8
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration.detection import RaindropDetector
from attentive_gan.restoration.detection.wetness import RESTORING_INTERVAL, Wetness, WetnessMeter
from attentive_gan.restoration.pipeline import Pipeline
from attentive_gan.utils.atomic_io import atomic_write
from attentive_gan.utils.types import PixelArray

from .attention_average import AttentionAverage
from .backend import FrameWriter, VideoBackend, VideoInfo
from .encoders import check_codec, ffmpeg_is_installed
from .ffmpeg import FfmpegBackend
from .flicker import FlickerMeter
from .opencv_video import OpenCvBackend
from .state import VideoState
from .video_restorer import VideoRestorer, radius_for

#: Largest number of frames that are read ahead or wait to be written.
_MOST_WAITING = 8

#: Options in the state files; `temporal` is added where it counts.
_OPTIONS = ('quality', 'segment_frames', 'hold_attention', 'measure_flicker')

#: Number of the temporal filter; a video that another one began is restored anew.
_FILTER = 3

#: A frame, and a function that waits for its result.
_Begun = tuple[PixelArray, Callable[[], PixelArray]]


@dataclass(frozen=True)
class VideoOptions:
    """Options for restoring and writing a video."""

    quality: int = 18
    """Constant rate factor of libx264, 0 to 51; lower is better. OpenCV alone ignores it."""
    segment_frames: int = 120
    """Largest number of frames that are lost if the work is stopped."""
    hold_attention: float = 0.0
    """Weight of earlier frames in the attention map, 0 to below 1; 0 treats each frame alone."""
    measure_flicker: bool = False
    """Whether to measure flicker of input and result, which takes time."""
    deinterlace: bool = True
    """Whether the fields of interlaced video are made to whole frames."""
    codec: str = ''
    """A name of `CODECS` or an encoder of ffmpeg; empty chooses by source and output."""
    encoder_options: str = ''
    """Options of ffmpeg's encoder, as on a command line: `-preset slow -tune film`."""
    max_pixels: int = MAX_PIXELS
    """Largest accepted number of pixels of a frame."""
    temporal: Literal['on', 'fast', 'off'] = 'on'
    """Whether the scene behind drops is fetched from other frames (`TemporalFilter`); `fast` uses earlier
    ones alone. Held attention and networks without an attention map restore frame by frame."""
    tell_wet: bool = False
    """Whether to tell how wet the glass is (`VideoReport.wetness`), if the network has an attention map."""


@dataclass
class VideoReport:
    """Outcome of a video."""

    frames: int
    """Number of written frames."""
    rate: str
    """Frames per second, as a fraction."""
    width: int
    """Columns."""
    height: int
    """Rows."""
    seconds: float
    """Time of this run."""
    resumed_at: int = 0
    """Number of frames of an earlier run."""
    audio: bool = False
    """Whether the result has the input's sound."""
    notes: list[str] = field(default_factory=list)
    """Messages for the user, such as losses."""
    flicker: tuple[float, float] | None = None
    """Flicker of input and result, in levels of 0 to 255; see `flicker`."""
    wetness: Wetness | None = None
    """How wet the glass is."""


def restore_video(
    restorer: ImageRestorer,
    path: Path,
    output: Path,
    options: VideoOptions,
    progress: Callable[[float, str], None] = lambda *_: None,
) -> VideoReport:
    """Restore a video; if an earlier run with the same input and options was stopped, resume it.

    Args:
        restorer: The network.
        path: Video; read by ffmpeg if it is installed, else by OpenCV.
        output: Video to write: .mp4, .m4v, .mov or .mkv. It appears when it is complete.
        options: Options for restoring and writing.
        progress: Called with the finished fraction, 0 to 1, and the speed as text.

    Raises:
        UserError: The video cannot be read or written, or attention shall be held and the network has no
            attention map.
    """
    started = time.perf_counter()
    if not 0 <= options.hold_attention < 1:
        raise UserError(f'--hold-attention {options.hold_attention}: choose from 0 to below 1')
    if options.hold_attention and not restorer.gives_attention:
        raise UserError(f'--hold-attention: {restorer.name} has no attention map')
    backend, info = open_video(path, options)
    planned = backend.prepare(path, output, info)
    identity = _identity(restorer, path, options, backend) | backend.encoding_identity(info)
    with VideoState(output, identity, backend.segment_suffix) as state:
        frames = _FrameRestorer(restorer, backend, info, state, options, progress)
        resumed_at = frames.done
        try:
            frames.run(path)
        except UserError:
            if not state.segments:
                state.remove()
            raise
        with atomic_write(output, keep_suffix=True) as temporary:
            losses = backend.join(state.segments, path, temporary, info)
        state.remove()
    notes = [*_notes(info, state.restarted, frames.done), *info.losses, *planned, *losses]
    if backend.read_errors:
        notes.append(f'the source is damaged: {backend.read_errors}')
    if frames.meter and resumed_at:
        notes.append(f'flicker was measured from frame {resumed_at + 1} on, where this run began')
    if frames.wetness and resumed_at:
        notes.append(
            f'wetness was judged from about frame {resumed_at + 1} on, where this run began'
        )
    return VideoReport(
        frames=frames.done,
        rate=str(info.rate),
        width=info.width,
        height=info.height,
        seconds=time.perf_counter() - started,
        resumed_at=resumed_at,
        audio=backend.keeps_audio,
        notes=notes,
        flicker=frames.meter.means() if frames.meter else None,
        wetness=frames.wetness.summary() if frames.wetness else None,
    )


def open_video(path: Path, options: VideoOptions) -> tuple[VideoBackend, VideoInfo]:
    """Return what reads a video, ffmpeg if it is installed, and the properties of the video.

    Args:
        path: The video.
        options: Largest size of frames, deinterlacing, codec.

    Raises:
        UserError: It cannot be read, or its frames are too large.
    """
    check_regular(path, path.stat())
    backend = _backend(options)
    info = backend.read_info(path)
    if info.width * info.height > options.max_pixels:
        raise too_large(path, f'{info.width}x{info.height}', options.max_pixels)
    return backend, info


def _backend(options: VideoOptions) -> VideoBackend:
    """Return ffmpeg if it is installed, else OpenCV, which has no choice of codecs."""
    if ffmpeg_is_installed():
        return FfmpegBackend(options.deinterlace, options.codec, options.encoder_options)
    check_codec(options.codec, options.encoder_options)
    return OpenCvBackend()


def no_frame(path: Path, backend: VideoBackend) -> UserError:
    """Return the error for a video without a frame that can be read."""
    reason = f' ({backend.read_errors})' if backend.read_errors else ''
    return UserError(f'{shown(path)} has no frame that can be read{reason}; copy it again')


def _identity(
    restorer: ImageRestorer, path: Path, options: VideoOptions, backend: VideoBackend
) -> dict[str, Any]:
    """Return everything that determines the frames, with the keys of version 0.1.0."""
    status = path.stat()
    settings = {k: v for k, v in asdict(options).items() if k in _OPTIONS}
    if is_temporal(restorer, options):
        settings |= {'temporal': options.temporal, 'filter': _FILTER}
    if restorer.self_ensemble:
        settings['self_ensemble'] = True
    return {
        'source': str(path.resolve()),
        'bytes': status.st_size,
        'modified': status.st_mtime_ns,
        'weights': restorer.loaded.weights_sha256,
        'network': restorer.name,
        'type': str(restorer.dtype),
        'tile': restorer.tile,
        'halo': restorer.halo,
        'options': settings,
        'tool': backend.name,
    }


def is_temporal(restorer: ImageRestorer, options: VideoOptions) -> bool:
    """Return whether other frames are used to restore a frame."""
    return options.temporal != 'off' and restorer.gives_attention and not options.hold_attention


def _notes(info: VideoInfo, restarted: bool, frames: int) -> list[str]:
    notes = []
    if restarted:
        notes.append(
            'began anew: the unfinished result there was of another input, network, options or version'
        )
    declared = info.declared_frames or 0
    # A duration in seconds, which may be that of the sound, gives the number of frames roughly.
    if frames < (declared if info.declared_exactly else 0.98 * declared - 2):
        about = '' if info.declared_exactly else 'about '
        notes.append(
            f'{frames} frames of {about}{declared} declared ones could be read and were restored; the '
            'file may be truncated'
        )
    return notes


class _FrameRestorer:
    """Restores the frames of a video, segment by segment."""

    def __init__(
        self,
        restorer: ImageRestorer,
        backend: VideoBackend,
        info: VideoInfo,
        state: VideoState,
        options: VideoOptions,
        progress: Callable[[float, str], None],
    ) -> None:
        self.restorer, self.backend, self.info, self.state = restorer, backend, info, state
        self.options, self.progress = options, progress
        self.done = self._first = state.frames
        self.meter = FlickerMeter() if options.measure_flicker else None
        self.wetness = None
        if options.tell_wet and restorer.gives_attention:
            self.wetness = WetnessMeter(RaindropDetector(restorer), RESTORING_INTERVAL)
        self._judged = 0
        self._attention = AttentionAverage(restorer, options.hold_attention, state.scene())
        self._temporal = None
        if is_temporal(restorer, options):
            self._temporal = VideoRestorer(restorer, look_ahead=options.temporal == 'on')
        self._waiting: deque[PixelArray] = deque()
        self._begun: deque[_Begun] = deque()
        self._missing, self._ended = 0, False
        # Frames before the first missing one, which it depends on.
        history = 2 * radius_for(info.height, info.width)
        self._repeated = min(self.done, history) if self._temporal else 0
        self._started = time.perf_counter()

    def run(self, path: Path) -> None:
        """Restore all missing segments of a video."""
        first = self.done - self._repeated
        with closing(self.backend.read_frames(path, self.info, first)) as frames:
            while (head := next(frames, None)) is not None:
                size = head.nbytes
                self._restore_segment(chain([head], frames), size)
            while self._waiting or self._begun:
                self._restore_segment(frames, size)
        if not self.done:
            raise no_frame(path, self.backend)

    def _restore_segment(self, frames: Iterator[PixelArray], frame_bytes: int) -> None:
        before = self.done
        info, quality = self.info, self.options.quality
        with self.backend.segment_writer(self.state.unfinished, info, quality) as writer:
            # The thread that reads finds the end of the video: None from there on.
            pipeline: Pipeline[int, PixelArray | None, list[_Begun]] = Pipeline(
                lambda _: 2 * frame_bytes,
                lambda _: next(frames, None),
                lambda _, frame: self._restore(frame),
                lambda _, begun: self._write(writer, begun),
                limit=2 * _MOST_WAITING * frame_bytes,
            )
            with closing(pipeline.run(self._until_complete())) as steps:
                for _, error in steps:
                    if error is not None:
                        raise error
                    self._report_progress()
        self.state.complete_segment(self.done - before, self._attention.scene)

    def _until_complete(self) -> Iterator[int]:
        """Count frames until those of a segment are ready, or the video ends."""
        self._missing = self.options.segment_frames
        # Held attention is stored with the segment, so no frame after it may be begun.
        for number in count() if self._temporal is not None else range(self._missing):
            yield number
            if not self._missing or self._ended:
                return

    def _restore(self, frame: PixelArray | None) -> list[_Begun]:
        """Begin a frame, None after the last; return the frames that the segment may take."""
        colours = None if frame is None else np.ascontiguousarray(frame[..., :3])
        if self.wetness is not None and colours is not None:
            self.wetness.add(colours, float(self._judged / self.info.rate))
            self._judged += 1
        if frame is None or colours is None:
            self._ended = True
            for image in self._temporal.flush() if self._temporal is not None else ():
                self._add_waiting(image)
        elif self._temporal is not None:
            self._waiting.append(frame)
            if (restored := self._temporal.push(colours)) is not None:
                self._add_waiting(restored)
        elif self.options.hold_attention:
            held = self.restorer.restore(colours, held=self._attention.update(colours))
            self._begun.append((frame, lambda: held.image))
        else:
            begun = self.restorer.begin([colours])[0]
            self._begun.append((frame, lambda: begun.result().image))
        taken = [self._begun.popleft() for _ in range(min(self._missing, len(self._begun)))]
        self._missing -= len(taken)
        return taken

    def _add_waiting(self, image: PixelArray) -> None:
        frame = self._waiting.popleft()
        if self._repeated:
            self._repeated -= 1
        else:
            self._begun.append((frame, lambda: image))

    def _write(self, writer: FrameWriter, begun: list[_Begun]) -> None:
        for frame, result in begun:
            restored = result()
            if self.meter is not None:
                self.meter.add(to_uint8(frame[..., :3]), to_uint8(restored))
            if frame.shape[2] == 4:  # transparency passes unchanged
                restored = np.concatenate([restored, frame[..., 3:]], axis=2)
            writer.write(restored)
            self.done += 1

    def _report_progress(self) -> None:
        speed = (self.done - self._first) / (time.perf_counter() - self._started)
        total = max(self.info.declared_frames or 0, self.done)
        self.progress(self.done / total, f'{speed:.2f} frames/s')
