"""Frames of videos and animations with their times."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from itertools import accumulate
from pathlib import Path

from attentive_gan.image_io import read_animation
from attentive_gan.restoration.inputs import InputFile
from attentive_gan.restoration.video.restoring import VideoOptions, no_frame, open_video
from attentive_gan.utils.types import PixelArray

#: A frame, RGB (H, W, 3), its time in seconds, and the number of frames as far as it is known.
TimedFrame = tuple[PixelArray, float, int]


def moving_frames(
    file: InputFile, max_pixels: int, notes: list[str]
) -> Generator[TimedFrame, None, None]:
    """Yield the frames of a video or of an animated image.

    Args:
        file: The file.
        max_pixels: Largest accepted number of pixels of a frame.
        notes: Gets messages for the user.

    Raises:
        UserError: It cannot be read, has no frame, or is too large.
    """
    if file.kind == 'image':
        yield from _animation_frames(file.path, max_pixels)
    else:
        yield from _video_frames(file.path, max_pixels, notes)


def _animation_frames(path: Path, max_pixels: int) -> Generator[TimedFrame, None, None]:
    animation = read_animation(path, max_pixels)
    times = accumulate(animation.durations, initial=0)
    for (colours, _), time in zip(animation.frames(), times, strict=False):
        yield colours, float(time), len(animation.durations)


def _video_frames(
    path: Path, max_pixels: int, notes: list[str]
) -> Generator[TimedFrame, None, None]:
    backend, info = open_video(path, VideoOptions(max_pixels=max_pixels))
    number = -1
    with closing(backend.read_frames(path, info, 0)) as frames:
        for number, frame in enumerate(frames):
            yield frame, float(number / info.rate), max(info.declared_frames or 0, number + 1)
    if number < 0:
        raise no_frame(path, backend)
    if backend.read_errors:
        notes.append(f'the source is damaged: {backend.read_errors}')
