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


def comparison_row(panels: Sequence[tuple[str, ImageArray]]) -> ImageArray:
    """Join captioned images of one height to a row.

    Args:
        panels: Captions and images, RGB (H, W, 3), uint8.

    Returns:
        RGB (H + `CAPTION_HEIGHT`, sum of widths and gaps, 3), uint8.
    """
    captioned = []
    for caption, image in panels:
        panel = _padded(image, top=CAPTION_HEIGHT, right=GAP)
        cv2.putText(
            panel, caption, (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0,) * 3, 1, cv2.LINE_AA
        )
        panel[:CAPTION_HEIGHT, image.shape[1] :] = 255  # the gap, where a long caption ends
        captioned.append(panel)
    return np.hstack(captioned)[:, :-GAP]


def comparison_grid(rows: Sequence[ImageArray]) -> ImageArray:
    """Stack rows, RGB (H, W, 3), uint8; shorter ones are filled with white on the right."""
    width = max(row.shape[1] for row in rows)
    return np.vstack([_padded(row, bottom=GAP, right=width - row.shape[1]) for row in rows])[:-GAP]


def _padded(image: ImageArray, top: int = 0, bottom: int = 0, right: int = 0) -> ImageArray:
    """Return a copy with a white border."""
    return np.pad(image, ((top, bottom), (0, right), (0, 0)), constant_values=255)
