"""Restoration of animated GIF, PNG and WebP files, frame by frame or with what other frames show."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import (
    FORMATS,
    WRITERS,
    Animation,
    lost_in,
    read_animation,
)
from attentive_gan.image_io.animation import Frame
from attentive_gan.inference import ImageRestorer
from attentive_gan.utils.atomic_io import atomic_write
from attentive_gan.utils.types import PixelArray

from .video.restoring import VideoOptions, is_temporal
from .video.video_restorer import VideoRestorer


@dataclass
class AnimationReport:
    """Outcome of an animation."""

    frames: int
    """Number of frames."""
    width: int
    """Columns."""
    height: int
    """Rows."""
    notes: list[str] = field(default_factory=list)
    """Messages for the user, such as losses."""


def restore_animation(
    restorer: ImageRestorer,
    path: Path,
    output: Path,
    options: VideoOptions,
    progress: Callable[[float, str], None] = lambda *_: None,
) -> AnimationReport:
    """Restore an animation; number and times of frames, repetitions and transparency are kept.

    Args:
        restorer: The network.
        path: Animated GIF, PNG or WebP file.
        output: File to write; its suffix is that of GIF, PNG or WebP.
        options: `temporal` and `max_pixels` count.
        progress: Called with the finished fraction, 0 to 1, and an empty text.

    Raises:
        UserError: The file cannot be read, or an animation cannot be written under that name.
    """
    kind = _format_of(output)
    animation = read_animation(path, options.max_pixels)
    total, (height, width) = len(animation.durations), animation.size
    _check_holds(output, kind, animation)
    with atomic_write(output) as temporary, temporary.open('wb') as stream:
        writer = WRITERS[kind](stream, animation.metadata, total, animation.plays)
        restored = _restored(restorer, animation, options)
        for number, (frame, duration) in enumerate(zip(restored, animation.durations, strict=True)):
            writer.write(frame, duration)
            progress((number + 1) / total, '')
        writer.close()
    return AnimationReport(total, width, height, _notes(animation, kind))


def _format_of(output: Path) -> str:
    suffix = output.suffix.lower()
    for kind in WRITERS:
        if suffix in FORMATS[kind].suffixes:
            return kind
    raise UserError(
        f'{shown(output)}: an animation is not written as {suffix}; choose .gif, .png or .webp, or save '
        'the wanted frame as a file of its own'
    )


def _check_holds(output: Path, kind: str, animation: Animation) -> None:
    height, width = animation.size
    limit = FORMATS[kind].longest_side or 65535
    if max(height, width) > limit:
        raise UserError(
            f'{shown(output)}: {kind} stores at most {limit} pixels per side, the animation is '
            f'{width}x{height}; write PNG'
        )
    if animation.metadata.bits > 8 and not FORMATS[kind].deep:
        raise UserError(f'{shown(output)}: {kind} cannot store 16 bits per channel; write PNG')


def _restored(
    restorer: ImageRestorer, animation: Animation, options: VideoOptions
) -> Iterator[Frame]:
    if not is_temporal(restorer, options):
        for colours, alpha in animation.frames():
            yield restorer.restore(colours).image, alpha
        return
    video = VideoRestorer(restorer, look_ahead=options.temporal == 'on')
    opacities: deque[PixelArray | None] = deque()
    for colours, alpha in animation.frames():
        opacities.append(alpha)
        if (image := video.push(colours)) is not None:
            yield image, opacities.popleft()
    for image in video.flush():
        yield image, opacities.popleft()


def _notes(animation: Animation, kind: str) -> list[str]:
    notes = []
    if kind == 'GIF':
        notes.append('GIF stores 256 colours for each frame; --format webp or png keeps all')
    lost = lost_in(animation.metadata, kind)
    if lost:
        notes.append(f'not kept: {", ".join(lost)}')
    return notes
