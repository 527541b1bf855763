"""How much a video flickers: what changes from frame to frame though the scene only moves.

The measure is the warping error of Lai et al. ("Learning Blind Video Temporal Consistency", ECCV 2018), as
mean absolute difference: the last frame, moved along the optical flow, against this one, where the flow can
be trusted. Flow and trust come from the source, for source and result alike.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Largest distance in pixels between a place and where the flow leads there and back.
TRUSTED_PIXELS = 1.0


class FlickerMeter:
    """Compares consecutive frames of a source and of its result."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._last: tuple[NDArray, NDArray, NDArray] | None = None
        self._sums = np.zeros(2)
        self._count = 0

    def add(self, source: NDArray[np.uint8], result: NDArray[np.uint8]) -> None:
        """Take the next frame.

        Args:
            source: Frame of the source, RGB (H, W, 3).
            result: The same frame, restored.
        """
        grey = cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)
        if self._last is not None:
            last_grey, last_source, last_result = self._last
            places, trusted = self._places(grey, last_grey)
            if trusted.any():
                self._sums += [
                    _difference(now, last, places, trusted)
                    for now, last in ((source, last_source), (result, last_result))
                ]
                self._count += 1
        self._last = grey, source, result

    def means(self) -> tuple[float, float] | None:
        """Return the flicker of source and result, in levels of 0 to 255; None before two frames."""
        if not self._count:
            return None
        source, result = self._sums / self._count
        return float(source), float(result)

    def _places(self, grey: NDArray, last: NDArray) -> tuple[NDArray, NDArray]:
        """Return where each pixel was in the last frame, and where that can be trusted."""
        height, width = grey.shape
        grid = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
        back = self._flow.calc(grey, last, None)  # type: ignore[call-overload]
        forth = self._flow.calc(last, grey, None)  # type: ignore[call-overload]
        places = grid + back
        there = cv2.remap(forth, places, None, cv2.INTER_LINEAR, borderValue=(1e6, 1e6))  # type: ignore[call-overload]
        return places, np.linalg.norm(back + there, axis=2) < TRUSTED_PIXELS


def _difference(now: NDArray, last: NDArray, places: NDArray, trusted: NDArray) -> float:
    moved = cv2.remap(last, places, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
    return float(cv2.absdiff(now, moved)[trusted].mean())
