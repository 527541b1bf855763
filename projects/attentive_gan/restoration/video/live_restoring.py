"""Restoration of a camera or network stream into a video file, as its frames come."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from attentive_gan.errors import UserError, shown
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration.detection import RaindropDetector
from attentive_gan.restoration.detection.wetness import RESTORING_INTERVAL, Wetness, WetnessMeter
from attentive_gan.restoration.outputs import WRITTEN_VIDEOS
from attentive_gan.utils.atomic_io import atomic_write

from .backend import FrameWriter, VideoInfo
from .encoders import ffmpeg_is_installed
from .ffmpeg import FfmpegBackend
from .live_source import LiveSource
from .restoring import VideoOptions
from .video_restorer import VideoRestorer

#: Rate that the encoder is told; each frame gets the time at which it came.
_RATE = Fraction(25)


@dataclass
class LiveReport:
    """Outcome of a stream."""

    frames: int
    """Number of restored frames."""
    dropped: int
    """Number of frames that came while another was restored."""
    width: int
    """Columns."""
    height: int
    """Rows."""
    seconds: float
    """Time from the first to the last restored frame."""
    ended: str
    """Why it ended: stopped, the stream ended, no frame came, or their size changed."""
    wetness: Wetness | None = None
    """How wet the glass is."""
    notes: list[str] = field(default_factory=list)
    """Messages for the user."""


def restore_live(
    restorer: ImageRestorer,
    source: LiveSource,
    output: Path,
    options: VideoOptions | None = None,
    progress: Callable[[int, float], None] = lambda frames, seconds: None,
) -> LiveReport:
    """Restore frames as they come, until the source ends or is stopped.

    Of frames that come while one is restored, all but the newest are dropped. The file shows each frame
    from the time at which it came. It appears when it is complete; if the process is killed, there is none.

    Args:
        restorer: The network.
        source: The stream, open.
        output: Video to write: .mp4, .m4v, .mov, .mkv or .webm.
        options: `quality`, `codec`, `encoder_options` and `tell_wet` count, and `temporal`: unless it is
            off and if the network has an attention map, earlier frames show what drops hide.
        progress: Called after each frame with the number of frames and its time after the first.

    Raises:
        UserError: ffmpeg is not installed, or the file cannot be written.
    """
    options = options or VideoOptions()
    check_live_output(output)
    height, width = source.size
    info = VideoInfo(width=width, height=height, rate=_RATE)
    temporal = options.temporal != 'off' and restorer.gives_attention
    video = VideoRestorer(restorer, look_ahead=False) if temporal else None
    meter = None
    if options.tell_wet and restorer.gives_attention:
        meter = WetnessMeter(RaindropDetector(restorer), RESTORING_INTERVAL)
    times: list[int] = []
    begin = 0.0
    with _live_writer(output, info, options, times) as (writer, notes):
        for frame in source.frames():
            if meter is not None:
                meter.add(frame.image, frame.seconds)
            restored = video.push(frame.image) if video else restorer.restore(frame.image).image
            assert restored is not None  # noqa: S101 -- nothing waits for later frames
            writer.write(restored)
            begin = begin if times else frame.seconds
            seconds = frame.seconds - begin
            times.append(max(round(1000 * seconds), times[-1] + 1) if times else 0)
            progress(len(times), seconds)
        if not times:
            raise UserError(
                f'{source.name}: stopped before a frame was restored; nothing was written'
            )
    return LiveReport(
        len(times), source.dropped, width, height, times[-1] / 1000, source.ended,
        meter.summary() if meter else None, notes,
    )  # fmt: skip


def check_live_output(output: Path) -> None:
    """Check that live frames can be written into a file.

    Raises:
        UserError: ffmpeg is not installed, or the suffix is that of no video that is written.
    """
    if not ffmpeg_is_installed():
        raise UserError('live video is written by ffmpeg and ffprobe; install ffmpeg')
    if output.suffix.lower() not in WRITTEN_VIDEOS:
        raise UserError(
            f'{shown(output)}: live video is written as one of {", ".join(WRITTEN_VIDEOS)}; name such '
            'a file (-o dry.mp4)'
        )


@contextmanager
def _live_writer(
    output: Path, info: VideoInfo, options: VideoOptions, times: Sequence[int]
) -> Iterator[tuple[FrameWriter, list[str]]]:
    """Yield a writer of frames, and notes about the file, which is complete after the block."""
    backend = FfmpegBackend(codec=options.codec, encoder_options=options.encoder_options)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{output.stem[:50]}.', dir=output.parent) as folder:
        notes = backend.prepare(output, output, info)
        segment = Path(folder, f'live{backend.segment_suffix}')
        with backend.segment_writer(segment, info, options.quality) as writer:
            yield writer, notes
        with atomic_write(output, keep_suffix=True) as temporary:
            backend.write_live(segment, times, temporary)
