"""Images side by side: rainy, attention maps, restored, clean."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.utils.types import ImageArray, PixelArray

from .pixels import to_uint8

#: Height of the line of text above each image, in pixels.
CAPTION_HEIGHT = 20
#: Space between images, in pixels.
GAP = 4


def attention_image(attention: NDArray[np.float32]) -> ImageArray:
    """Colour an attention map: dark blue is 0, yellow is 1 and more.

    Args:
        attention: (H, W), clamped to [0, 1].

    Returns:
        RGB (H, W, 3), uint8.
    """
    grey = np.rint(attention.clip(0, 1) * 255).astype(np.uint8)
    colours: ImageArray = cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS)[..., ::-1].copy()
    return colours


def attention_overlay(pixels: PixelArray, attention: NDArray[np.float32]) -> ImageArray:
    """Blend an attention map, coloured as by `attention_image`, with its image, half and half.

    Args:
        pixels: RGB (H, W, 3), uint8 or uint16.
        attention: (H, W), clamped to [0, 1].

    Returns:
        RGB (H, W, 3), uint8.
    """
    mixed = cv2.addWeighted(attention_image(attention), 0.5, to_uint8(pixels), 0.5, 0)
    return mixed.astype(np.uint8, copy=False)


def _captioned(image: ImageArray, caption: str) -> ImageArray:
    """Put a line of text above an image."""
    bar = np.full((CAPTION_HEIGHT, image.shape[1], 3), 255, np.uint8)
    cv2.putText(bar, caption, (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([bar, image])


def comparison_row(panels: Sequence[tuple[str, ImageArray]]) -> ImageArray:
    """Join captioned images of one height to a row.

    Args:
        panels: Captions and images (H, W, 3) uint8 in RGB.

    Returns:
        The row (H + caption, sum of widths and gaps, 3) uint8 in RGB.
    """
    height = panels[0][1].shape[0] + CAPTION_HEIGHT
    gap = np.full((height, GAP, 3), 255, np.uint8)
    parts: list[ImageArray] = []
    for caption, image in panels:
        parts += [_captioned(image, caption), gap]
    return np.concatenate(parts[:-1], axis=1)


def comparison_grid(rows: Sequence[ImageArray]) -> ImageArray:
    """Stack rows; shorter ones are filled with white on the right."""
    width = max(row.shape[1] for row in rows)
    gap = np.full((GAP, width, 3), 255, np.uint8)
    parts: list[ImageArray] = []
    for row in rows:
        parts += [
            np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255),
            gap,
        ]
    return np.concatenate(parts[:-1])
