"""Restores a video frame by frame, in constant memory, and goes on where it was stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError, shown
from attentive_gan.inference import ImageRestorer, Restored
from attentive_gan.restoration.pipeline import Pipeline
from attentive_gan.utils.atomic_io import atomic_write

from .ffmpeg import Ffmpeg, ffmpeg_is_there
from .files import Frame, FrameWriter, VideoInfo, VideoTool
from .flicker import FlickerMeter
from .opencv_video import OpenCvVideo
from .state import Scene, VideoState

#: Mean difference of two frames, in levels of 0 to 255, above which a new scene begins.
SCENE_CUT = 40.0
#: Frames that are read ahead or wait to be written, at most.
_ON_THEIR_WAY = 8
#: A frame, and what waits for its result.
_Begun = tuple[Frame, Callable[[], Restored]]
#: Sides of the images that are compared for it.
_THUMBNAIL = (64, 36)


@dataclass(frozen=True)
class VideoOptions:
    """How a video is restored and written."""

    quality: int = 18
    """Constant rate factor of libx264, 0 to 51; less is better. OpenCV alone takes no notice of it."""
    segment_frames: int = 120
    """Frames that are lost at most when the work is stopped."""
    hold_attention: float = 0.0
    """Weight of the frames before in the attention map, 0 to below 1; 0 looks at each frame alone."""
    measure_flicker: bool = False
    """Whether to measure flicker of source and result, which takes time."""


@dataclass
class VideoReport:
    """What became of a video."""

    frames: int
    """Frames that were written."""
    rate: str
    """Frames per second, as a fraction."""
    width: int
    """Columns."""
    height: int
    """Rows."""
    seconds: float
    """Time for what was done now."""
    resumed_at: int = 0
    """Frames that were there from before."""
    audio: bool = False
    """Whether the result has the source's sound."""
    notes: list[str] = field(default_factory=list)
    """What a user should know."""
    flicker: tuple[float, float] | None = None
    """Flicker of source and result, in levels of 0 to 255; see `flicker`."""


def restore_video(
    restorer: ImageRestorer,
    source: Path,
    target: Path,
    options: VideoOptions,
    progress: Callable[[float, str], None] = lambda part, text: None,
) -> VideoReport:
    """Restore a video.

    Args:
        restorer: The network.
        source: Video; ffmpeg reads it where it is installed, else OpenCV.
        target: Video to write: .mp4, .m4v, .mov or .mkv. It appears when it is complete.
        options: How.
        progress: Told the part that is done, 0 to 1, and how fast.

    Raises:
        UserError: The video cannot be read or written, or attention shall be held and the network gives
            none.
    """
    started = time.perf_counter()
    if not 0 <= options.hold_attention < 1:
        raise UserError(f'--hold-attention {options.hold_attention}: choose from 0 to below 1')
    if options.hold_attention and not restorer.gives_attention:
        raise UserError(
            f'--hold-attention: {restorer.name} draws no attention map that could be held'
        )
    tool: VideoTool = Ffmpeg() if ffmpeg_is_there() else OpenCvVideo()
    facts = tool.facts(source)
    state = VideoState(target, _identity(restorer, source, options, tool), tool.segment_suffix)
    work = _Work(restorer, tool, source, facts, state, options, progress)
    before = work.done
    try:
        work.run()
    except UserError:
        if not state.segments:
            state.remove()
        raise
    with atomic_write(target) as unfinished:
        complete = unfinished.with_name(f'{unfinished.name}{target.suffix}')
        try:
            told = tool.join(state.segments, source, complete, facts)
            complete.replace(unfinished)
        finally:
            complete.unlink(missing_ok=True)
    state.remove()
    flicker = work.meter.means() if work.meter else None
    notes = [*_notes(facts, state, work.done), *facts.losses, *told]
    if tool.complaint:
        notes.append(f'the source is damaged: {tool.complaint}')
    if work.meter and before:
        notes.append(f'flicker is that of the frames from {before + 1} on, which were restored now')
    seconds = time.perf_counter() - started
    return VideoReport(
        work.done, str(facts.rate), facts.width, facts.height, seconds, before, facts.has_audio,
        notes, flicker,
    )  # fmt: skip


def _identity(
    restorer: ImageRestorer, source: Path, options: VideoOptions, tool: VideoTool
) -> dict:
    status = source.stat()
    return {
        'source': str(source.resolve()), 'bytes': status.st_size, 'modified': status.st_mtime_ns,
        'weights': restorer.loaded.weights_sha256, 'network': restorer.name,
        'type': str(restorer.dtype), 'tile': restorer.tile, 'halo': restorer.halo,
        'options': asdict(options), 'tool': type(tool).__name__,
    }  # fmt: skip


def _notes(facts: VideoInfo, state: VideoState, frames: int) -> list[str]:
    notes = []
    if state.began_anew:
        notes.append('began anew: what was there was made from another source, network or options')
    if not facts.constant_rate:
        notes.append(
            f'the frames lasted differently long; some were repeated or left out, so that all last '
            f'1/{float(facts.rate):.3f} s and sound stays in step'
        )
    announced = facts.announced_frames or 0
    # A length in seconds, which may be that of the sound, says the number of frames roughly.
    missing = frames < (announced if facts.counted else 0.98 * announced - 2)
    if missing:
        about = '' if facts.counted else 'about '
        notes.append(
            f'{frames} frames of {about}{announced} that the file says could be read and were restored; '
            'it may be cut off'
        )
    return notes


class _Work:
    """The frames of a video on their way through reading, restoring and writing."""

    def __init__(
        self,
        restorer: ImageRestorer,
        tool: VideoTool,
        source: Path,
        facts: VideoInfo,
        state: VideoState,
        options: VideoOptions,
        progress: Callable[[float, str], None],
    ) -> None:
        self.restorer, self.tool, self.source = restorer, tool, source
        self.facts, self.state, self.options, self.progress = facts, state, options, progress
        self.done = state.frames
        self.meter = FlickerMeter() if options.measure_flicker else None
        self._scene = state.scene()
        self._started, self._first = time.perf_counter(), self.done

    def run(self) -> None:
        """Restore all segments that are missing."""
        frames = self.tool.frames(self.source, self.facts, self.done)
        self._started, self._first = time.perf_counter(), self.done
        with closing(frames):
            while (head := next(frames, None)) is not None:
                self._segment(chain([head], frames), head.nbytes)
        if not self.done:
            reason = f' ({self.tool.complaint})' if self.tool.complaint else ''
            raise UserError(
                f'{shown(self.source)} has no frame that can be read{reason}; copy it again'
            )

    def _segment(self, frames: Iterator[Frame], frame_bytes: int) -> None:
        """Restore and write the next frames."""
        before = self.done
        # The end of the video is seen by the thread that reads: None from there on.
        with self.tool.segment_writer(
            self.state.unfinished(), self.facts, self.options.quality
        ) as writer:
            pipeline: Pipeline[int, Frame | None, _Begun | None] = Pipeline(
                lambda _: 2 * frame_bytes, lambda _: next(frames, None),
                lambda _, frame: None if frame is None else self._restore(frame),
                lambda _, begun: None if begun is None else self._write(writer, *begun),
                limit=2 * _ON_THEIR_WAY * frame_bytes,
            )  # fmt: skip
            with closing(pipeline.run(range(self.options.segment_frames))) as steps:
                for _, error in steps:
                    if error is not None:
                        raise error
                    self._tell()
        self.state.finish(self.done - before, self._scene)

    def _write(self, writer: FrameWriter, frame: Frame, result: Callable[[], Restored]) -> None:
        restored = result().image
        if self.meter is not None:
            self.meter.add(frame, restored)
        writer.write(restored)
        self.done += 1

    def _tell(self) -> None:
        rate = (self.done - self._first) / (time.perf_counter() - self._started)
        total = max(self.facts.announced_frames or 0, self.done)
        self.progress(self.done / total, f'{rate:.2f} frames/s')

    def _restore(self, frame: Frame) -> _Begun:
        if self.options.hold_attention:
            restored = self.restorer.restore(frame, held=self._attention(frame))
            return frame, lambda: restored
        return frame, self.restorer.begin([frame])[0].result

    def _attention(self, frame: Frame) -> NDArray[np.float32]:
        """Return the exponential average of the attention maps since the scene began."""
        drawn = self.restorer.attend(frame)
        thumbnail = cv2.resize(frame, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
        last = self._scene
        if last is not None and np.abs(thumbnail - last.thumbnail).mean() <= SCENE_CUT:
            weight = self.options.hold_attention
            drawn = weight * last.held + (1 - weight) * drawn
        self._scene = Scene(drawn, thumbnail)
        return drawn
