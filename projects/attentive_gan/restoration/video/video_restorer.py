"""Restoration of a stream of frames, for programs that have a camera."""

from __future__ import annotations

from collections.abc import Iterator

from attentive_gan.errors import UserError
from attentive_gan.image_io.pixels import check_image
from attentive_gan.inference import ImageRestorer
from attentive_gan.utils.types import PixelArray

from .temporal_filter import RADIUS, TemporalFilter

#: Bytes of restored frames that wait or are looked back at; larger frames have a smaller radius.
_HELD_BYTES = 600e6


def radius_for(height: int, width: int) -> int:
    """Return the radius of the temporal filter for frames of a size in pixels, 1 to `RADIUS`."""
    return int(min(RADIUS, max(1, _HELD_BYTES / (2 * 3 * height * width))))


class VideoRestorer:
    """Restores frames one by one, as they come, with what other frames show behind drops.

    Args:
        restorer: Network with an attention map; None takes the weights that ship.
        look_ahead: Whether frames wait for later ones (at most 12), which show more. Without, each is
            returned at once, restored by it and earlier ones.

    Raises:
        UserError: The network has no attention map, so it is unknown where drops are.

    Example:
        >>> import numpy as np
        >>> video = VideoRestorer(look_ahead=False)
        >>> video.push(np.zeros((32, 48, 3), np.uint8)).shape
        (32, 48, 3)
    """

    def __init__(self, restorer: ImageRestorer | None = None, look_ahead: bool = True) -> None:
        self.restorer = restorer or ImageRestorer()
        if not self.restorer.gives_attention:
            raise UserError(
                f'{self.restorer.name} has no attention map, so it is unknown where drops are; restore '
                'frame by frame (ImageRestorer, --temporal off) or choose other weights'
            )
        self.look_ahead = look_ahead
        self.filter: TemporalFilter | None = None

    def push(self, frame: PixelArray) -> PixelArray | None:
        """Add a frame.

        Args:
            frame: RGB (H, W, 3), uint8 or uint16.

        Returns:
            The next restored frame, of the same shape and type; None while it waits for later ones.

        Raises:
            TypeError: The frame is no array.
            ValueError: It is not (H, W, 3), uint8 or uint16. Frames before it are kept.
        """
        check_image(frame)
        radius = radius_for(*frame.shape[:2])
        if self.filter is None:
            self.filter = TemporalFilter(radius, self.look_ahead)
        elif radius != self.filter.radius:
            self.filter.begin_scene(radius)
        restored = self.restorer.restore(frame, attention=True)
        assert restored.attention is not None  # noqa: S101 -- the network gives one
        return self.filter.push(frame, restored.image, restored.attention)

    def flush(self) -> Iterator[PixelArray]:
        """Yield the frames that wait for later ones; the video is over."""
        if self.filter is not None:
            yield from self.filter.flush()
