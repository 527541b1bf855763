"""The few brushes with which scenes are drawn: filled shapes, texture, glow."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Random = np.random.Generator
Floats = NDArray[np.float32]

#: OpenCV draws with coordinates in 1/16 of a pixel here.
_SHIFT = 4

#: Distance at which a lamp's halo ends, in radii of the lamp.
_HALO = 15.5


@dataclass
class Canvas:
    """A picture that is being drawn."""

    pixels: Floats
    """RGB (H, W, 3), float32, 0 to 255; lights may exceed 255 until the end."""
    unit: float
    """Pixels per unit of length; a scene is always 160 units high."""
    _noises: dict[int, Floats] = field(default_factory=dict)
    """Noise (H, W, 1), -0.5 to 0.5, by its number of cells: drawn once, as it costs most."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def shape(self, corners: Floats) -> Floats:
        """Return the mask (H, W), 0 to 1, of a polygon with corners (n, 2) as (x, y)."""
        mask = np.zeros(self.size, np.uint8)
        points = np.round(np.asarray(corners) * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, _SHIFT)
        return mask.astype(np.float32) / np.float32(255)

    def blend(self, mask: Floats, paint: Floats) -> None:
        """Lay paint, RGB (H, W, 3) or (3,), over the canvas where the mask (H, W) is 1."""
        self.pixels += mask[..., None] * (paint - self.pixels)

    def fill(self, corners: Floats, paint: Floats) -> None:
        """Fill a polygon, working on its bounding box only.

        Args:
            corners: Corners (n, 2) as (x, y) in pixels; they may lie outside of the canvas.
            paint: RGB (3,), 0 to 255, or a texture (H, W, 3) of the size of the canvas.
        """
        corners = np.asarray(corners, np.float32)
        height, width = self.size
        x, y, across, down = cv2.boundingRect(corners)
        left, right = max(0, x - 1), min(width, x + across + 2)
        top, bottom = max(0, y - 1), min(height, y + down + 2)
        if left >= right or top >= bottom:
            return
        box = (slice(top, bottom), slice(left, right))
        part = Canvas(self.pixels[box], self.unit)
        part.blend(part.shape(corners - (left, top)), paint[box] if paint.ndim == 3 else paint)

    def glow(self, place: tuple[float, float], radius: float, colour: Floats) -> None:
        """Add a lamp: a bright disc with a halo that falls off with the squared distance."""
        height, width = self.size
        reach = round(_HALO * radius) + 1
        left, right = max(0, int(place[0]) - reach), min(width, int(place[0]) + reach)
        top, bottom = max(0, int(place[1]) - reach), min(height, int(place[1]) + reach)
        across = (np.arange(left, right, dtype=np.float32) - place[0]) / radius
        down = (np.arange(top, bottom, dtype=np.float32) - place[1])[:, None] / radius
        distance = across**2 + down**2
        light = np.clip(1.6 - distance, 0, 1) + np.clip(0.12 / (1 + distance / 4) - 0.002, 0, 1)
        part = self.pixels[top:bottom, left:right]
        part += light[..., None] * (colour - part * 0.3)

    def textured(
        self, random: Random, colour: Floats, cells: int, contrast: float = 0.35
    ) -> Floats:
        """Return a colour (3,) with noise of so many cells across, as paint (H, W, 3)."""
        if cells not in self._noises:
            self._noises[cells] = fractal_noise(random, self.size, cells)[..., None] - 0.5
        scale = 1 + np.float32(2 * contrast) * self._noises[cells]
        return scale * np.asarray(colour, np.float32)


def fractal_noise(
    random: Random, size: tuple[int, int], cells: int, stretch: float = 1.0, octaves: int = 4
) -> Floats:
    """Return smooth random values with detail at several scales.

    Args:
        random: Source of random numbers.
        size: (height, width) in pixels.
        cells: Number of the coarsest blobs across the width.
        stretch: How much wider than high the blobs are.
        octaves: Number of scales, each half as large and 0.6 times as strong as the one before.

    Returns:
        Values (H, W), 0 to 1.
    """
    height, width = size
    total: Floats = np.zeros(size, np.float32)
    for octave in range(octaves):
        across = cells * 2**octave + 1
        down = max(2, round(across * height / width * stretch))
        grid = random.random((down, across), dtype=np.float32)
        fine = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += fine * 0.6**octave
    return cv2.normalize(total, total, 0, 1, cv2.NORM_MINMAX).astype(np.float32)


def grain(pixels: Floats, random: Random, strength: float = 2.5) -> Floats:
    """Add the noise of a camera: normal, equal in all channels for two thirds of its strength."""
    shared = random.standard_normal(pixels.shape[:2], dtype=np.float32)[..., None]
    single = random.standard_normal(pixels.shape, dtype=np.float32)
    noise = np.float32(0.8 * strength) * shared + np.float32(0.4 * strength) * single
    return (pixels + noise).astype(np.float32)
