"""Changes of the colours of both images of a pair.

Both get exactly the same change, so that what was equal in both stays equal. MMagic's `ColorJitter` does
not do that: its contrast refers to the mean of each image. For JPEG compression of the rainy image MMagic's
`RandomJPEGCompression(keys=['img'])` is right. Random numbers come from NumPy's global generator, which the
data sets here seed for each sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmagic.registry import TRANSFORMS
from numpy.typing import NDArray

from attentive_gan.errors import UserError

from .base import Transform

Range = tuple[float, float]

#: Weights of R, G, B in luma (ITU-R BT.601).
_LUMA = np.array([0.299, 0.587, 0.114])


def random_uniform(limits: Range) -> float:
    """Return a random number within a range."""
    return float(np.random.uniform(*limits))  # noqa: NPY002 -- seeded per sample


def checked_limits(name: str, limits: Sequence[float], low: float, high: float) -> Range:
    """Return a range as a tuple.

    Raises:
        UserError: It is not a range within `low` to `high`.
    """
    if len(limits) != 2 or not low <= limits[0] <= limits[1] <= high:
        raise UserError(f'{name} must be a range within {low:g} to {high:g}; got {limits}.')
    return float(limits[0]), float(limits[1])


@TRANSFORMS.register_module()
class PairedColourJitter(Transform):
    """Change the colours of both images of a pair by one random map from colour to colour.

    First each channel v (0 to 1) becomes (brightness * (contrast * (v - 0.5) + 0.5)) ** gamma, clipped to 0
    to 1; then saturation scales the distance from the luma, and hue turns colours about the grey axis.

    Args:
        brightness: Range of the factor on all values, within 0.1 to 3.
        contrast: Range of the factor on the distance from mid-grey, within 0 to 3.
        saturation: Range of the factor on the distance from grey, within 0 to 3.
        hue: Range of the angle in degrees, within -180 to 180.
        gamma: Range of the exponent, within 0.2 to 5.
        keys: Which images to change, (H, W, 3), uint8.

    Raises:
        UserError: A range is not one, or not within its bounds.
    """

    def __init__(
        self,
        brightness: Range = (0.8, 1.2),
        contrast: Range = (0.8, 1.2),
        saturation: Range = (0.7, 1.3),
        hue: Range = (-8, 8),
        gamma: Range = (0.8, 1.25),
        keys: Sequence[str] = ('img', 'gt'),
    ) -> None:
        self.brightness = checked_limits('brightness', brightness, 0.1, 3)
        self.contrast = checked_limits('contrast', contrast, 0, 3)
        self.saturation = checked_limits('saturation', saturation, 0, 3)
        self.hue = checked_limits('hue', hue, -180, 180)
        self.gamma = checked_limits('gamma', gamma, 0.2, 5)
        self.keys = tuple(keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change both images of a sample."""
        table = _tone_table(
            random_uniform(self.brightness),
            random_uniform(self.contrast),
            random_uniform(self.gamma),
        )
        matrix = _colour_matrix(random_uniform(self.saturation), random_uniform(self.hue))
        if results.get('img_channel_order', 'bgr') == 'bgr':
            matrix = matrix[::-1, ::-1]
        for key in self.keys:
            if key in results:
                toned = cv2.LUT(np.ascontiguousarray(results[key]), table)
                changed = cv2.transform(toned, np.ascontiguousarray(matrix))
                results[key] = cv2.convertScaleAbs(np.maximum(changed, 0))
        return results


def _tone_table(brightness: float, contrast: float, gamma: float) -> NDArray[np.float32]:
    """Return the new values of 256 levels, (256,), float32, 0 to 255."""
    level = np.arange(256) / 255
    changed = np.clip(brightness * (contrast * (level - 0.5) + 0.5), 0, 1) ** gamma
    return (255 * changed).astype(np.float32)


def _colour_matrix(saturation: float, hue: float) -> NDArray[np.float32]:
    """Return the matrix (3, 3) on RGB columns that keeps greys, scales colourfulness and turns hue."""
    axis = np.full(3, 1 / np.sqrt(3))
    angle = np.radians(hue)
    cross = np.cross(np.eye(3), axis)
    # Rodrigues' formula: a rotation about the grey axis.
    turn = np.eye(3) * np.cos(angle) + cross * np.sin(angle)
    turn += np.outer(axis, axis) * (1 - np.cos(angle))
    grey = np.tile(_LUMA, (3, 1))
    return np.asarray(((grey + saturation * (np.eye(3) - grey)) @ turn).astype(np.float32))
