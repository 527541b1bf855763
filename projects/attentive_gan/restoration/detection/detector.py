"""Where drops are on the glass, how much of the image they cover, and whether it counts as wet.

Two maps tell drops: the attention map, and how much the network changes the image. Details of a dry scene
may look like drops to one of them, seldom to both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError
from attentive_gan.image_io.pixels import check_image, to_uint8
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration.video.attention_average import SCENE_CUT
from attentive_gan.utils.types import ImageArray, PixelArray

#: Largest side in pixels of the images that are judged; larger ones are shrunk. All values below were
#: fitted at this size (docs/detect.md).
WORKING_SIDE = 480
#: Standard deviation in pixels of the blur of both maps.
_BLUR = 1.0
#: Logistic regression of coverage: weight of log(1 + change in levels), of the attention map, and offset.
_CHANGE_WEIGHT, _ATTENTION_WEIGHT, _OFFSET = 0.91, 4.88, -4.87
#: Values of a mask from which a pixel counts as covered.
COVERED = 128
#: Change, in levels of 0 to 255, from which a pixel counts as changed.
_CHANGED = 20.0
#: Width and height of the images that are compared to detect a cut.
_THUMBNAIL = (64, 36)


@dataclass(frozen=True)
class DetectionSettings:
    """When glass counts as wet.

    Raises:
        UserError: A value is out of its range, or `dry_below` is above `wet_above`.

    Example:
        >>> DetectionSettings(wet_above=0.1).lower
        0.06
        >>> DetectionSettings(dry_below=0.2)
        Traceback (most recent call last):
        attentive_gan.errors.UserError: dry_below (0.2) must be from 0 to wet_above (0.04)
    """

    wet_above: float = 0.04
    """Share of the image that the network changes clearly, above 0 to 1, from which glass counts as wet."""
    dry_below: float | None = None
    """Share below which wet glass in front of a video counts as dry again, 0 to `wet_above`; None: 0.6 of
    `wet_above`."""
    memory: float = 1.0
    """Time in seconds after which a frame of a video counts 1/e in the average of the maps, 0 or more;
    0 judges every frame alone."""

    def __post_init__(self) -> None:
        if not 0 < self.wet_above <= 1:
            raise UserError(f'wet_above ({self.wet_above:g}) must be above 0, and 1 at most')
        if not 0 <= self.lower <= self.wet_above:
            raise UserError(
                f'dry_below ({self.lower:g}) must be from 0 to wet_above ({self.wet_above:g})'
            )
        if not 0 <= self.memory < 1e6:
            raise UserError(f'memory ({self.memory:g}) must be from 0 to a million seconds')

    @property
    def lower(self) -> float:
        """The share below which wet glass counts as dry again."""
        return 0.6 * self.wet_above if self.dry_below is None else self.dry_below


@dataclass(frozen=True)
class Detection:
    """What was found on the glass."""

    mask: ImageArray
    """How surely drops cover each pixel, (H, W), uint8; from 128 on it counts as covered."""
    coverage: float
    """Share of the image that is covered, 0 to 1."""
    changed: float
    """Share of the image that the network changes by 20 levels of 255 or more, 0 to 1."""
    wet: bool
    """Whether the glass counts as wet, by `changed`."""


class _Maps(NamedTuple):
    """What is averaged over the frames of a scene, at the working size."""

    values: NDArray[np.float32]
    """Attention and change in levels, (H, W, 2)."""
    thumbnail: NDArray[np.float32]
    """The last frame, small, to detect a cut."""


class RaindropDetector:
    """Tells where drops are on the glass, and whether it is wet.

    Args:
        restorer: Network with an attention map; None takes the weights that ship, for which all defaults
            were chosen.
        settings: When glass counts as wet.

    Attributes:
        wet: Whether the glass was wet in the last frame of the video.

    Raises:
        UserError: The network has no attention map.

    Example:
        >>> dry = np.full((32, 48, 3), 90, np.uint8)
        >>> found = RaindropDetector().detect(dry)
        >>> found.wet, found.coverage, found.mask.shape
        (False, 0.0, (32, 48))
    """

    def __init__(
        self, restorer: ImageRestorer | None = None, settings: DetectionSettings | None = None
    ) -> None:
        self.restorer = restorer or ImageRestorer()
        if not self.restorer.gives_attention:
            raise UserError(
                f'{self.restorer.name} has no attention map, so it is unknown where drops are; choose '
                'other weights, or omit --weights for those that ship'
            )
        self.settings = settings or DetectionSettings()
        self.wet = False
        self._average: _Maps | None = None

    def detect(self, image: PixelArray) -> Detection:
        """Judge an image alone.

        Args:
            image: RGB (H, W, 3), uint8 or uint16.
        """
        found = self._judged(image, self._maps(image).values)
        return found(found.changed >= self.settings.wet_above)

    def push(self, frame: PixelArray, seconds: float = 0.04) -> Detection:
        """Judge the next frame of a video by it and the frames before it.

        Drops stay where they are on the glass while the scene moves, so the maps are averaged over time; a
        cut begins a new average. Glass becomes wet at `wet_above` and dry below `dry_below`.

        Args:
            frame: RGB (H, W, 3), uint8 or uint16.
            seconds: Time since the frame before; less than 0, as after a clock was set back, counts as 0.

        Raises:
            ValueError: The frame is no image of these types, or `seconds` is not finite.
        """
        if not isfinite(seconds):
            raise ValueError(f'seconds must be finite; got {seconds}')
        maps, last, memory = self._maps(frame), self._average, self.settings.memory
        if last is not None and memory and _is_same_scene(last, maps):
            kept = exp(-max(seconds, 0.0) / memory)
            maps = maps._replace(values=kept * last.values + (1 - kept) * maps.values)
        self._average = maps
        found = self._judged(frame, maps.values)
        limit = self.settings.lower if self.wet else self.settings.wet_above
        self.wet = found.changed >= limit
        return found(self.wet)

    def reset(self) -> None:
        """Begin another video."""
        self.wet, self._average = False, None

    def _maps(self, image: PixelArray) -> _Maps:
        """Return the maps of an image alone."""
        check_image(image)
        image = to_uint8(image)
        height, width = image.shape[:2]
        factor = WORKING_SIDE / max(height, width)
        if factor < 1:
            size = max(1, round(width * factor)), max(1, round(height * factor))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        restored = self.restorer.restore(image, attention=True)
        assert restored.attention is not None  # noqa: S101 -- the network gives one
        change = cv2.absdiff(restored.image, image).astype(np.float32).mean(2)
        both = cv2.GaussianBlur(np.dstack((restored.attention, change)), (0, 0), _BLUR)
        small = cv2.resize(image, _THUMBNAIL, interpolation=cv2.INTER_AREA)
        return _Maps(np.asarray(both, np.float32), small.astype(np.float32))

    @staticmethod
    def _judged(image: PixelArray, maps: NDArray[np.float32]) -> _Judged:
        attention, change = maps[..., 0], maps[..., 1]
        score = _CHANGE_WEIGHT * np.log1p(change) + _ATTENTION_WEIGHT * attention + _OFFSET
        small = np.rint(255 / (1 + np.exp(-score))).astype(np.uint8)
        height, width = image.shape[:2]
        mask = np.asarray(cv2.resize(small, (width, height)), np.uint8)
        return _Judged(mask, float((mask >= COVERED).mean()), float((change >= _CHANGED).mean()))


class _Judged(NamedTuple):
    """A detection before it is known whether that counts as wet."""

    mask: ImageArray
    coverage: float
    changed: float

    def __call__(self, wet: bool) -> Detection:
        """Return the detection."""
        return Detection(*self, wet)


def _is_same_scene(last: _Maps, maps: _Maps) -> bool:
    if last.values.shape != maps.values.shape:
        return False
    return bool(np.abs(last.thumbnail - maps.thumbnail).mean() <= SCENE_CUT)
