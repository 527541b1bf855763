"""What the rest needs of a video file, whoever reads and writes it: ffmpeg, or OpenCV alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself."""

    width: int
    """Columns of the upright image."""
    height: int
    """Rows of the upright image."""
    rate: Fraction
    """Frames per second."""
    announced_frames: int | None = None
    """Frames that the file says it has; None where it does not say."""
    counted: bool = True
    """Whether it counted them; else their number follows from its length and is about right."""
    constant_rate: bool = True
    """Whether all frames last equally long."""
    has_audio: bool = False
    """Whether there is sound."""
    colour: tuple[tuple[str, str], ...] = ()
    """Tags of the colour space, by ffmpeg's option names."""
    pixel_aspect: Fraction = Fraction(1)
    """Width of a pixel by its height, when shown."""
    start: float = 0.0
    """When the first frame is shown, in seconds after the sound or whatever begins first."""
    losses: tuple[str, ...] = ()
    """What of the file is not kept, for the user."""


@dataclass(frozen=True)
class Segment:
    """A file with some consecutive frames."""

    path: Path
    """The file."""
    frames: int
    """How many."""


class FrameWriter(ABC):
    """Writes frames into one file; as a context, it completes the file, or abandons it after an error."""

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Write a frame, RGB (H, W, 3)."""

    @abstractmethod
    def close(self) -> None:
        """Complete the file.

        Raises:
            UserError: The file could not be written.
        """

    @abstractmethod
    def abandon(self) -> None:
        """End the writing of a file that is of no use."""

    def __enter__(self) -> FrameWriter:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the file, or abandon it."""
        if error is None:
            self.close()
        else:
            self.abandon()


class VideoTool(ABC):
    """A program that reads and writes videos."""

    #: File name suffix of segments.
    segment_suffix: str
    #: What was wrong with the frames that were read last; empty where nothing was.
    complaint: str = ''

    @abstractmethod
    def facts(self, path: Path) -> VideoInfo:
        """Return what a video says of itself.

        Raises:
            UserError: It is no video that can be read.
        """

    @abstractmethod
    def frames(self, path: Path, facts: VideoInfo, skip: int) -> Generator[Frame, None, None]:
        """Yield the frames, RGB (H, W, 3), upright, without the first `skip`."""

    @abstractmethod
    def segment_writer(self, path: Path, facts: VideoInfo, quality: int) -> FrameWriter:
        """Return a writer of some consecutive frames."""

    @abstractmethod
    def join(
        self, segments: Sequence[Segment], source: Path, target: Path, facts: VideoInfo
    ) -> list[str]:
        """Join segments to one file, with all of the source that is not images; return what was lost."""
