"""Wetness of a whole video, from that of its frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attentive_gan.utils.types import ImageArray, PixelArray

from .detector import Detection, RaindropDetector

#: Least time between two judged frames, in seconds, where a video is restored.
RESTORING_INTERVAL = 0.25


@dataclass(frozen=True)
class Wetness:
    """How wet the glass in front of a video is."""

    wet: bool
    """Whether it counts as wet in any judged frame."""
    wet_share: float
    """Share of the judged frames in which it does."""
    coverage: float
    """Mean share of the image that is covered."""
    largest_coverage: float
    """Its largest value."""
    judged_frames: int
    """Number of judged frames."""


class WetnessMeter:
    """Judges frames of a video, and sums up.

    Args:
        detector: Judges the frames; begins another video.
        interval: Least time between two judged frames in seconds; 0 judges every frame.
        told: Called with time and result of each judged frame.
    """

    def __init__(
        self,
        detector: RaindropDetector,
        interval: float = 0.0,
        told: Callable[[float, Detection], object] = lambda time, found: None,
    ) -> None:
        detector.reset()
        self._detector, self._interval, self._told = detector, interval, told
        self._frames = self._wet = 0
        self._last = 0.0
        self._coverage = self._largest = 0.0
        self._masks: NDArray[np.uint64] | None = None

    def add(self, frame: PixelArray, time: float) -> None:
        """Add a frame.

        Args:
            frame: RGB (H, W, 3), uint8 or uint16; a fourth channel is ignored.
            time: Seconds since the first frame.
        """
        if self._frames and time - self._last < self._interval:
            return
        colours = np.ascontiguousarray(frame[..., :3])
        found = self._detector.push(colours, max(time - self._last, 0.0))
        self._last = time
        self._frames += 1
        self._wet += found.wet
        self._coverage += found.coverage
        self._largest = max(self._largest, found.coverage)
        if self._masks is None:
            self._masks = np.zeros(found.mask.shape, np.uint64)
        self._masks += found.mask
        self._told(time, found)

    def summary(self) -> Wetness | None:
        """Return the wetness of the video; None before the first frame."""
        if not self._frames:
            return None
        return Wetness(
            wet=self._wet > 0,
            wet_share=round(self._wet / self._frames, 4),
            coverage=round(self._coverage / self._frames, 4),
            largest_coverage=round(self._largest, 4),
            judged_frames=self._frames,
        )

    def mask(self) -> ImageArray | None:
        """Return the mean of the masks (H, W), uint8; None before the first frame."""
        if self._masks is None:
            return None
        return np.rint(self._masks / self._frames).astype(np.uint8)
