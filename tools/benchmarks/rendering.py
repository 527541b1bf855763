"""How fast raindrops are rendered, by regime and over the default mix."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from drawn_scenes.scenes import draw_scene
from raindrop_renderer.sampling import add_raindrops


@dataclass(frozen=True)
class RenderingTime:
    """Time of one regime at one size."""

    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    regime: str
    """Name of the regime, or 'default mix'."""
    images: int
    """Number of timed images."""
    milliseconds: float
    """Mean time of one image."""

    @property
    def images_per_second(self) -> float:
        """Images per second."""
        return 1000 / self.milliseconds


def measure_rendering(
    sizes: Iterable[tuple[int, int]], images: int = 100
) -> Iterator[RenderingTime]:
    """Time renderings on one core, after one pass over the same images that fills the tables of drops.

    Args:
        sizes: (width, height) in pixels.
        images: Number of images of each size; regimes occur as in the default mix.

    Yields:
        For each size the times of the regimes, and of the whole mix.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for width, height in sizes:
            clean = draw_scene(1, (height, width))
            times: dict[str, list[float]] = defaultdict(list)
            for timed in (False, True):
                for seed in range(images):
                    start = time.perf_counter()
                    made = add_raindrops(clean, seed)
                    if timed:
                        times[made.parameters.regime].append(time.perf_counter() - start)
            times['default mix'] = [second for part in times.values() for second in part]
            for regime, seconds in times.items():
                mean = 1000 * float(np.mean(seconds))
                yield RenderingTime(width, height, regime, len(seconds), mean)
    finally:
        cv2.setNumThreads(threads)
