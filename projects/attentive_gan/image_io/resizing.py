"""Resizing of images: area averaging to shrink, cubic interpolation to enlarge."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def resize(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Resize an image.

    Args:
        image: (H, W) or (H, W, C), uint8, or float32 of 0 to 1.
        size: New (height, width) in pixels.

    Returns:
        The image, of the same type and as many dimensions; float values stay within 0 to 1.
    """
    height, width = image.shape[:2]
    shrinks = size[0] * size[1] < height * width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    result = cv2.resize(np.ascontiguousarray(image), size[::-1], interpolation=method)
    if image.dtype != np.uint8:
        result = np.clip(result, 0, 1)
    return result.reshape(*size, *image.shape[2:]).astype(image.dtype, copy=False)
