"""Plain blurred blobs instead of raindrops, as a baseline for the renderer.

Most public generators of raindrops for training do this: they lay blurred discs of the blurred, brightened
scene over the image. A network trained on them measures the effect of the optics.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .parameters import RaindropParameters
from .raindrops import RainyImage


def add_blobs(clean: NDArray[np.uint8], seed: int, frame_width: int | None = None) -> RainyImage:
    """Lay blurred bright discs over an image; equal arguments give equal bytes on one machine.

    Args:
        clean: RGB image (H, W, 3), uint8.
        seed: Any number from 0.
        frame_width: Width in pixels of the camera's whole frame; None for the image's own width.

    Returns:
        The images; the parameters are those of no raindrops, but for the seed.

    Example:
        >>> clean = np.full((32, 48, 3), 90, np.uint8)
        >>> bool((add_blobs(clean, seed=1).rainy > clean).any())
        True
    """
    random = np.random.default_rng([seed, 8])
    height, width = clean.shape[:2]
    scale = (frame_width or width) / 720
    alpha = np.zeros((height, width), np.float32)
    count = max(1, round(random.uniform(20, 150) * height * width / (480 * 720 * scale**2)))
    for _ in range(count):
        radius = max(1, round(scale * float(np.exp(random.normal(2.4, 0.6)))))
        middle = int(random.integers(0, width)), int(random.integers(0, height))
        cv2.circle(alpha, middle, radius, (1.0,), -1, cv2.LINE_AA)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), scale * random.uniform(1.5, 10)))
    alpha *= np.float32(random.uniform(0.5, 0.95))
    blurred = cv2.GaussianBlur(clean.astype(np.float32), (0, 0), scale * random.uniform(8, 20))
    brighter = blurred + np.float32(random.uniform(0, 60))
    rainy = clean + alpha[..., None] * (brighter - clean)
    pixels = np.clip(rainy + 0.5, 0, 255).astype(np.uint8)
    nothing = RaindropParameters(coverage=0, fine_coverage=0, mist=0, haze=0, veil=0, seed=seed)
    return RainyImage(pixels, clean, alpha, nothing)
