"""Clean images of outdoor scenes, drawn by rule from a seed.

They replace photos in the training of raindrop removal, and have the statistics that such training needs.
Opaque things of very different sizes hide each other: the
occlusion or 'dead leaves' model, of which Lee, Mumford and Huang (IJCV 2001) showed that it has the
statistics of natural images, the heavy tails of derivatives included. Power falls with about the square
of the frequency (Field, JOSA A 1987; Ruderman, Vision Research 1997, who traces it to such occlusion).
Everything has texture, there is sky above and ground below in perspective, and lights are clipped. That
networks learn from images without photos was shown for representations by Baradad et al. (NeurIPS
2021), and for image restoration with dead leaves by Achddou, Gousseau and Ladjal (SSVM 2021).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas
from .closeups import garden, pieces, portrait
from .landscapes import country, forest, lake
from .photography import LIGHTINGS, OVERSAMPLING, Lighting, develop
from .road_scenes import facade, highway, plaza, street

Scene = Callable[[Canvas], float]

#: Height of a scene in its own units of length.
_UNITS_HIGH = 160

_SMALLEST = 16

#: Kinds of scenes and their shares; each returns the row below which wet ground mirrors lights, or 0.
_DAY: dict[Scene, float] = {
    street: 0.2, highway: 0.08, country: 0.11, plaza: 0.12, facade: 0.11, garden: 0.1, pieces: 0.1,
    forest: 0.08, lake: 0.05, portrait: 0.05,
}  # fmt: skip

_NIGHT: dict[Scene, float] = {
    street: 0.45, highway: 0.15, plaza: 0.25, facade: 0.08, lake: 0.07,
}  # fmt: skip


def draw_scene(
    seed: int, size: tuple[int, int] = (160, 240), lighting: Lighting = 'day'
) -> NDArray[np.uint8]:
    """Draw one clean image; equal arguments give equal bytes on any machine.

    Args:
        seed: Any number from 0.
        size: (height, width) in pixels, at least 16 each.
        lighting: 'day', or 'night' for dark scenes with lamps, lit windows and wet roads.

    Returns:
        RGB image (H, W, 3), uint8.

    Raises:
        ValueError: The size is below 16x16, or the lighting is unknown.

    Example:
        >>> image = draw_scene(7, (32, 48))
        >>> image.shape, bool((image == draw_scene(7, (32, 48))).all())
        ((32, 48, 3), True)
    """
    if min(size) < _SMALLEST:
        raise ValueError(f'a scene needs at least {_SMALLEST}x{_SMALLEST} pixels; got {size}')
    if lighting not in LIGHTINGS:
        raise ValueError(f'lighting must be one of {LIGHTINGS}; got {lighting!r}')
    random = np.random.default_rng([seed, 1, LIGHTINGS.index(lighting)])
    height, width = (side * OVERSAMPLING for side in size)
    canvas = Canvas(np.full((height, width, 3), 60, np.uint8), random, height / _UNITS_HIGH)
    if lighting == 'night':
        canvas.shine = np.zeros((height, width, 4), np.uint8)
    elif canvas.chance(0.6):
        canvas.sun = 1 if canvas.chance(0.5) else -1
    scenes = _NIGHT if lighting == 'night' else _DAY
    wet = _chosen(canvas, scenes)(canvas)
    return develop(canvas, size, lighting, wet if canvas.chance(0.6) else 0)


def _chosen(canvas: Canvas, scenes: dict[Scene, float]) -> Scene:
    """Return one of the scenes by their shares."""
    left = canvas.uniform(0, 1) * sum(scenes.values())
    for scene, share in scenes.items():
        left -= share
        if left < 0:
            return scene
    return next(iter(scenes))
