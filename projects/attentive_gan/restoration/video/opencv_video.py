"""Videos by OpenCV alone: no sound, and a rate that may be rounded."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from attentive_gan.errors import UserError, shown

from .files import Frame, FrameWriter, Segment, VideoInfo, VideoTool


class OpenCvVideo(VideoTool):
    """Reads and writes by OpenCV. Segments are lossless; the joined file is MPEG-4."""

    segment_suffix = '.avi'

    def facts(self, path: Path) -> VideoInfo:
        """Return what OpenCV says."""
        capture = _opened(path)
        try:
            done, frame = capture.read()
            rate = capture.get(cv2.CAP_PROP_FPS)
            if not done or not rate:
                raise UserError(f'{shown(path)} has no frame that OpenCV can read; convert it')
            frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            height, width = (side - side % 2 for side in frame.shape[:2])
            if not height or not width:
                raise UserError(f'{shown(path)} is too small for OpenCV to write; install ffmpeg')
            exact = Fraction(rate).limit_denominator(1001)
            odd = frame.shape[:2] != (height, width)
            lost = ('the last row or column is cut off: OpenCV writes even sizes only',)
            return VideoInfo(
                width, height, exact, max(frames, 0) or None, losses=lost if odd else ()
            )
        finally:
            capture.release()

    def frames(self, path: Path, facts: VideoInfo, skip: int) -> Generator[Frame, None, None]:
        """Yield frames; those skipped are decoded and dropped, which is exact."""
        capture = _opened(path)
        try:
            while capture.grab():
                if skip:
                    skip -= 1
                    continue
                _, frame = capture.retrieve()
                frame = frame[: facts.height, : facts.width]
                yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
        finally:
            capture.release()

    def segment_writer(self, path: Path, facts: VideoInfo, quality: int) -> FrameWriter:
        """Return a writer of FFV1, which loses nothing."""
        return _Writer(path, 'FFV1', facts)

    def join(
        self, segments: Sequence[Segment], source: Path, target: Path, facts: VideoInfo
    ) -> list[str]:
        """Encode the frames of all segments as MPEG-4."""
        with _Writer(target, 'mp4v', facts) as writer:
            for segment in segments:
                for frame in self.frames(segment.path, facts, 0):
                    writer.write(frame)
        return [
            'written by OpenCV, as ffmpeg is not there: no sound, no subtitles, MPEG-4 of its own quality; '
            'install ffmpeg to keep them'
        ]


class _Writer(FrameWriter):
    """Writes by OpenCV's VideoWriter."""

    def __init__(self, path: Path, codec: str, facts: VideoInfo) -> None:
        code = cv2.VideoWriter.fourcc(*codec)
        size = (facts.width, facts.height)
        self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, float(facts.rate), size)
        if not self._writer.isOpened():
            raise UserError(
                f'{shown(path)}: this OpenCV cannot write {codec} video; install ffmpeg, or opencv-python '
                'from its wheel'
            )

    def write(self, frame: Frame) -> None:
        """Write a frame."""
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Complete the file."""
        self._writer.release()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._writer.release()


def _opened(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise UserError(
            f'{shown(path)} is no video that OpenCV can read. Check or convert the file.'
        )
    return capture
