"""The interface to programs that read and write video files: ffmpeg, or OpenCV alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

from attentive_gan.utils.types import PixelArray


@dataclass(frozen=True)
class VideoInfo:
    """Properties of a video file."""

    width: int
    """Columns of the upright frames."""
    height: int
    """Rows of the upright frames."""
    rate: Fraction
    """Frames per second."""
    declared_frames: int | None = None
    """Number of frames that the file declares; None if it does not."""
    declared_exactly: bool = True
    """Whether that number was counted; otherwise it is estimated from the duration."""
    constant_rate: bool = True
    """Whether all frames have the same duration."""
    has_audio: bool = False
    """Whether there is sound."""
    colour_tags: tuple[tuple[str, str], ...] = ()
    """Tags of the colour space, by ffmpeg's option names."""
    pixel_aspect: Fraction = Fraction(1)
    """Width of a pixel divided by its height, when shown."""
    start_seconds: float = 0.0
    """Time of the first frame after the start of the file."""
    losses: tuple[str, ...] = ()
    """Messages about properties that the result will not have."""
    pixel_format: str = ''
    """ffmpeg's name of the pixel format."""
    alpha: bool = False
    """Whether there is transparency, which is read as a fourth channel if the output can hold it."""
    decoder: str = ''
    """ffmpeg's decoder, if it is not its usual one."""
    deep: bool = False
    """Whether there are more than 8 bits per colour."""
    mastering_display: str = ''
    """Colours and light of the mastering display, as x265 reads them."""
    light_level: str = ''
    """Largest light level of a pixel and of a frame's mean, as x265 reads them."""
    interlaced: Literal['', 'marked', 'top', 'bottom'] = ''
    """Whether frames consist of fields; each frame is marked, or the first field is known from the file."""
    rotated: bool = False
    """Whether ffmpeg turns the frames upright."""
    timescale: int = 0
    """Units per second of the times of frames; 0 if they are not a whole number."""
    metadata: tuple[str, ...] = ()
    """Names of the metadata of the file, in lower case."""
    details: tuple[str, ...] = ()
    """What belongs to the images beside their pixels, in words."""
    tags: tuple[tuple[str, str], ...] = ()
    """Tags of the video stream that are copied, such as language and time code."""
    stream_names: tuple[tuple[str, str], ...] = ()
    """Languages, titles and time codes of all streams, each after the word for it."""
    streams: tuple[OtherStream, ...] = ()
    """All other streams."""


@dataclass(frozen=True)
class OtherStream:
    """A stream of a file that is not restored."""

    index: int
    """Its number in the file."""
    kind: str
    """audio, subtitle, data, attachment, or another word if it is never copied."""
    codec: str
    """Name of its codec."""
    reason: str = ''
    """Why it is not copied; empty if it may be."""


@dataclass(frozen=True)
class Segment:
    """A file with some consecutive frames."""

    path: Path
    """The file."""
    frames: int
    """Number of frames."""


class FrameWriter(Protocol):
    """Encodes frames into one file."""

    def write(self, frame: PixelArray) -> None:
        """Write a frame, RGB, of the shape and type that was read.

        Raises:
            UserError: The file cannot be written.
        """


class VideoBackend(ABC):
    """Reads and writes videos."""

    #: Name in the state files of unfinished videos.
    name: str
    #: File name suffix of segments.
    segment_suffix: str
    #: Error messages about the frames read last; empty if there were none.
    read_errors: str = ''

    @abstractmethod
    def read_info(self, path: Path) -> VideoInfo:
        """Return the properties of a video.

        Raises:
            UserError: The file is no video that can be read.
        """

    def prepare(self, source: Path, output: Path, info: VideoInfo) -> list[str]:
        """Check before the work how the output can be written.

        Returns:
            Messages about losses.

        Raises:
            UserError: It cannot be written.
        """
        return []

    @property
    def keeps_audio(self) -> bool:
        """Whether the output will have sound."""
        return False

    def encoding_identity(self, info: VideoInfo) -> dict[str, object]:
        """Return what determines segments beside the source and the options; empty as in version 0.1.0."""
        return {}

    @abstractmethod
    def read_frames(
        self, path: Path, info: VideoInfo, skip: int
    ) -> Generator[PixelArray, None, None]:
        """Yield the frames after the first `skip`, (H, W, 3), RGB, uint8 or uint16, upright.

        With transparency, if the output can hold it, they are (H, W, 4).
        """

    @abstractmethod
    def segment_writer(
        self, path: Path, info: VideoInfo, quality: int
    ) -> AbstractContextManager[FrameWriter]:
        """Return a context that writes a segment and completes it at its end.

        Raises:
            UserError: The file cannot be written.
        """

    @abstractmethod
    def join(
        self, segments: Sequence[Segment], source: Path, output: Path, info: VideoInfo
    ) -> list[str]:
        """Join segments to one file, with everything of the source but its frames.

        Returns:
            Messages about losses.

        Raises:
            UserError: The file cannot be written.
        """
