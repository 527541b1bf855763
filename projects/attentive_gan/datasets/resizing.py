"""One way of resizing for all pictures: area averaging to shrink, cubic interpolation to enlarge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def resized(picture: NDArray, size: tuple[int, int]) -> NDArray:
    """Resize a picture.

    Args:
        picture: (H, W) or (H, W, C), uint8, or float32 of 0 to 1.
        size: New (height, width) in pixels.

    Returns:
        The picture, of the same type and as many dimensions; float values stay within 0 to 1.
    """
    height, width = picture.shape[:2]
    shrinks = size[0] * size[1] < height * width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    result = cv2.resize(np.ascontiguousarray(picture), size[::-1], interpolation=method)
    if picture.dtype != np.uint8:
        result = np.clip(result, 0, 1)
    return result.reshape(*size, *picture.shape[2:]).astype(picture.dtype, copy=False)
