"""Videos by OpenCV alone: no sound, and a rate that may be rounded."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.types import PixelArray

from .backend import FrameWriter, Segment, VideoBackend, VideoInfo


class OpenCvBackend(VideoBackend):
    """Reads and writes by OpenCV. Segments are lossless (FFV1); results are MPEG-4, in .webm VP8."""

    name = 'OpenCvVideo'  # as in the state files of version 0.1.0
    segment_suffix = '.avi'

    def read_info(self, path: Path) -> VideoInfo:
        """Return the properties that OpenCV reports."""
        with _opened(path) as capture:
            done, frame = capture.read()
            rate = capture.get(cv2.CAP_PROP_FPS)
            frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if not done or not rate:
            raise UserError(f'{shown(path)} has no frame that OpenCV can read; convert it')
        height, width = (side - side % 2 for side in frame.shape[:2])
        if not height or not width:
            raise UserError(f'{shown(path)} is too small for OpenCV to write; install ffmpeg')
        losses: tuple[str, ...] = ()
        if frame.shape[:2] != (height, width):
            losses = ('the last row or column is cut off: OpenCV writes even sizes only',)
        return VideoInfo(
            width=width,
            height=height,
            rate=Fraction(rate).limit_denominator(1001),
            declared_frames=max(frames, 0) or None,
            losses=losses,
        )

    def read_frames(
        self, path: Path, info: VideoInfo, skip: int
    ) -> Generator[PixelArray, None, None]:
        """Yield frames; skipped ones are decoded and dropped, which is exact."""
        with _opened(path) as capture:
            while capture.grab():
                if skip:
                    skip -= 1
                    continue
                _, frame = capture.retrieve()
                frame = frame[: info.height, : info.width]
                yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)

    def segment_writer(
        self, path: Path, info: VideoInfo, quality: int
    ) -> AbstractContextManager[FrameWriter]:
        """Return a writer of FFV1, which is lossless; `quality` is ignored."""
        return _written(path, 'FFV1', info)

    def join(
        self, segments: Sequence[Segment], source: Path, output: Path, info: VideoInfo
    ) -> list[str]:
        """Encode the frames of all segments as MPEG-4, in .webm as VP8."""
        codec = 'VP80' if output.suffix.lower() == '.webm' else 'mp4v'
        with _written(output, codec, info) as writer:
            for segment in segments:
                for frame in self.read_frames(segment.path, info, 0):
                    writer.write(frame)
        name = 'VP8' if codec == 'VP80' else 'MPEG-4'
        return [
            f'written by OpenCV because ffmpeg is not installed: no sound, no subtitles, {name} of fixed '
            'quality; install ffmpeg to keep them'
        ]


class _Writer:
    """Writes RGB frames by a `cv2.VideoWriter`."""

    def __init__(self, writer: cv2.VideoWriter) -> None:
        self._writer = writer

    def write(self, frame: PixelArray) -> None:
        """Write a frame."""
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))


@contextmanager
def _written(path: Path, codec: str, info: VideoInfo) -> Iterator[FrameWriter]:
    code, size = cv2.VideoWriter.fourcc(*codec), (info.width, info.height)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, float(info.rate), size)
    if not writer.isOpened():
        raise UserError(
            f'{shown(path)}: this OpenCV cannot write {codec} video; install ffmpeg, or opencv-python '
            'from its wheel'
        )
    try:
        yield _Writer(writer)
    finally:
        writer.release()


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise UserError(
                f'{shown(path)} is no video that OpenCV can read. Check or convert the file.'
            )
        yield capture
    finally:
        capture.release()
