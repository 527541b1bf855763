"""Simple raindrops on a clean picture: soft discs that show the scene upside down and brighter.

They have what the first look at real pairs shows (inverted wide-angle content, soft edges, mostly
brighter than what they hide, a film of mist between them), without optics behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .brushes import Floats, Random, fractal_noise

#: How many times more of the scene a drop shows than it covers.
_VIEW = 5.0


@dataclass(frozen=True)
class RainyPicture:
    """A clean picture seen through raindrops."""

    rainy: NDArray[np.uint8]
    """With raindrops, RGB (H, W, 3), uint8."""
    clean: NDArray[np.uint8]
    """Without, RGB (H, W, 3), uint8."""
    alpha: Floats
    """How much of each pixel is drop, (H, W), float32, 0 to 1."""


def add_simple_drops(clean: NDArray[np.uint8], seed: int) -> RainyPicture:
    """Put raindrops on a picture; equal arguments give equal bytes on one machine.

    Args:
        clean: RGB picture (H, W, 3), uint8.
        seed: Any number from 0.

    Returns:
        Rainy and clean picture with the coverage of the drops.
    """
    random = np.random.default_rng([seed, 2])
    height, width = clean.shape[:2]
    softness = height * random.uniform(0.006, 0.016)
    alpha, source_x, source_y = _scatter(random, (height, width), random.uniform(0.16, 0.34))
    scene = clean.astype(np.float32)
    wide = cv2.GaussianBlur(scene, (0, 0), height * 0.02)
    seen = cv2.remap(wide, source_x, source_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    inside = seen * np.float32(random.uniform(0.75, 0.95)) + np.float32(random.uniform(48, 72))
    # Premultiplied, so that the blur of a drop's edge does not draw in the scene behind it.
    light = cv2.GaussianBlur(inside * alpha[..., None], (0, 0), softness)
    alpha = cv2.GaussianBlur(alpha, (0, 0), softness).astype(np.float32)
    behind = _mist(scene, random)
    rainy = behind * (1 - alpha[..., None]) + light
    return RainyPicture(np.clip(rainy + 0.5, 0, 255).astype(np.uint8), clean, alpha)


def _mist(scene: Floats, random: Random) -> Floats:
    """Blur the scene a little where a film of water lies on the glass."""
    film = fractal_noise(random, scene.shape[:2], cells=3, octaves=2)[..., None]
    film = np.float32(random.uniform(0.2, 0.6)) * film
    return scene + film * (cv2.GaussianBlur(scene, (0, 0), scene.shape[0] * 0.008) - scene)


def _scatter(
    random: Random, size: tuple[int, int], coverage: float
) -> tuple[Floats, Floats, Floats]:
    """Place drops until they cover a share of the picture.

    Returns:
        Coverage (H, W), 0 to 1, and for each pixel the x and y (H, W) of the scene that it shows.
    """
    height, width = size
    alpha = np.zeros(size, np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    source_x, source_y = x.copy(), y.copy()
    typical = height * random.uniform(0.03, 0.075)
    while alpha.mean() < coverage:
        radius = typical * np.exp(random.normal(0, 0.4))
        centre = random.uniform(0, width), random.uniform(0, height)
        reach = int(np.ceil(radius * 1.5))
        top, left = max(0, int(centre[1]) - reach), max(0, int(centre[0]) - reach)
        box = (slice(top, int(centre[1]) + reach), slice(left, int(centre[0]) + reach))
        across, down = x[box] - np.float32(centre[0]), y[box] - np.float32(centre[1])
        drop = _outline(random, across, down, radius)
        mine = drop > alpha[box]
        alpha[box] = np.maximum(alpha[box], drop)
        source_x[box] = np.where(mine, centre[0] - _VIEW * across, source_x[box])
        source_y[box] = np.where(mine, centre[1] - _VIEW * down, source_y[box])
    return alpha, source_x, source_y


def _outline(random: Random, across: Floats, down: Floats, radius: float) -> Floats:
    """Return the coverage of one drop: a disc, uneven, slightly higher than wide."""
    angle = np.arctan2(down, across)
    uneven = np.ones_like(angle)
    for wave in (2, 3, 4):
        depth = abs(random.normal(0, 0.07 / (wave - 1)))
        uneven += depth * np.cos(wave * angle + random.uniform(0, 2 * np.pi))
    tall = np.exp(random.normal(0.06, 0.1))
    distance = np.hypot(across, down / tall) / (radius * uneven)
    opacity = random.uniform(0.75, 0.97)
    return (opacity * np.clip((1.08 - distance) / 0.16, 0, 1)).astype(np.float32)
