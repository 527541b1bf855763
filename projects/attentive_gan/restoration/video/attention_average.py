"""Temporal average of attention maps, against flicker."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.image_io.pixels import to_uint8
from attentive_gan.inference import ImageRestorer
from attentive_gan.utils.types import PixelArray

from .state import Scene

#: Mean difference of two frames, in levels of 0 to 255, above which a new scene begins.
SCENE_CUT = 40.0
#: Width and height of the images that are compared to detect it.
_THUMBNAIL = (64, 36)


class AttentionAverage:
    """Exponential average of the attention maps since the scene began.

    Args:
        restorer: Computes the attention map of a frame.
        weight: Weight of the earlier frames, 0 to below 1.
        scene: State after the last frame; None at the start of the video.
    """

    def __init__(self, restorer: ImageRestorer, weight: float, scene: Scene | None) -> None:
        self.scene = scene
        self._restorer = restorer
        self._weight = weight

    def update(self, frame: PixelArray) -> NDArray[np.float32]:
        """Return the average (H, W) including a frame, RGB (H, W, 3), uint8 or uint16."""
        attention = self._restorer.attend(frame)
        thumbnail = cv2.resize(to_uint8(frame), _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(
            np.float32
        )
        last = self.scene
        if last is not None and np.abs(thumbnail - last.thumbnail).mean() <= SCENE_CUT:
            attention = self._weight * last.held + (1 - self._weight) * attention
        self.scene = Scene(attention, thumbnail)
        return attention
