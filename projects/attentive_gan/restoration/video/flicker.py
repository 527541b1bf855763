"""Flicker of a video: changes from frame to frame that the motion of the scene does not explain.

The measure is the warping error of Lai et al. ("Learning Blind Video Temporal Consistency", ECCV 2018), as
mean absolute difference: the last frame, warped along the optical flow, against this one, where the flow is
reliable. Flow and reliability are computed from the input, for input and result alike.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.utils.types import ImageArray

#: Largest distance in pixels between a position and where the flow leads there and back.
TRUSTED_PIXELS = 1.0


class FlickerMeter:
    """Compares consecutive frames of an input and of its result."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._last: tuple[ImageArray, ImageArray, ImageArray] | None = None
        self._sums = np.zeros(2)
        self._count = 0

    def add(self, frame: ImageArray, restored: ImageArray) -> None:
        """Add the next frame.

        Args:
            frame: Frame of the input, RGB (H, W, 3), uint8.
            restored: The same frame, restored.
        """
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        if self._last is not None:
            last_grey, last_frame, last_restored = self._last
            positions, trusted = self._positions(grey, last_grey)
            if trusted.any():
                self._sums += [
                    _difference(now, last, positions, trusted)
                    for now, last in ((frame, last_frame), (restored, last_restored))
                ]
                self._count += 1
        self._last = grey, frame, restored

    def means(self) -> tuple[float, float] | None:
        """Return the flicker of input and result, in levels of 0 to 255; None before two frames."""
        if not self._count:
            return None
        frame, restored = self._sums / self._count
        return float(frame), float(restored)

    def _positions(
        self, grey: ImageArray, last: ImageArray
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the position of each pixel in the last frame (H, W, 2), and whether it is reliable."""
        height, width = grey.shape
        grid = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
        back = self._flow.calc(grey, last, None)  # type: ignore[call-overload]
        forth = self._flow.calc(last, grey, None)  # type: ignore[call-overload]
        positions = grid + back
        there = cv2.remap(forth, positions, None, cv2.INTER_LINEAR, borderValue=(1e6, 1e6))  # type: ignore[call-overload]
        return positions, np.linalg.norm(back + there, axis=2) < TRUSTED_PIXELS


def _difference(
    now: ImageArray, last: ImageArray, positions: NDArray[np.float32], trusted: NDArray[np.bool_]
) -> float:
    warped = cv2.remap(last, positions, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
    return float(cv2.absdiff(now, warped)[trusted].mean())
