"""Clean pictures of outdoor scenes, drawn by rule from a seed.

They stand in for photos where none may be shipped: streets in perspective, layered hills, houses,
leaves, lamps. They share with photos what raindrop removal lives on: bright sky above, darker
ground below, sharp edges at all scales where things hide each other (the 'dead leaves' model), and
texture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from . import scenery
from .brushes import Canvas, Random, fractal_noise, grain

#: Drawn at this multiple of the final size, then averaged down, so that edges are smooth.
_OVERSAMPLING = 2

#: Height of a scene in its own units of length.
_UNITS_HIGH = 160

_SMALLEST = 16


def draw_scene(seed: int, size: tuple[int, int] = (160, 240)) -> NDArray[np.uint8]:
    """Draw one clean picture; equal arguments give equal bytes on one machine.

    Args:
        seed: Any number from 0.
        size: (height, width) in pixels, at least 16 each.

    Returns:
        RGB picture (H, W, 3), uint8.

    Raises:
        ValueError: The size is below 16x16.
    """
    if min(size) < _SMALLEST:
        raise ValueError(f'a scene needs at least {_SMALLEST}x{_SMALLEST} pixels; got {size}')
    random = np.random.default_rng([seed, 1])
    height, width = (side * _OVERSAMPLING for side in size)
    canvas = Canvas(np.zeros((height, width, 3), np.float32), height / _UNITS_HIGH)
    horizon = height * random.uniform(0.38, 0.6)
    sky(canvas, random, horizon)
    kind = random.choice(4, p=[0.4, 0.25, 0.2, 0.15])
    (street, fields, town, garden)[kind](canvas, random, horizon)
    light = np.float32(random.uniform(0.75, 1.1))
    small = cv2.resize(canvas.pixels * light, size[::-1], interpolation=cv2.INTER_AREA)
    return np.clip(grain(small, random) + 0.5, 0, 255).astype(np.uint8)


def sky(canvas: Canvas, random: Random, horizon: float) -> None:
    """Fill the canvas with a sky: a gradient from zenith to horizon, with clouds."""
    height, width = canvas.size
    zenith = scenery.pick(random, scenery.SKIES)
    haze = zenith * 0.35 + np.array([232, 228, 218], np.float32) * 0.65
    down = np.clip(np.arange(height, dtype=np.float32) / horizon, 0, 1)[:, None, None]
    gradient = zenith * (1 - down) + haze * down
    clouds = fractal_noise(random, (height, width), cells=3, stretch=2.5)
    cover = np.clip((clouds - random.uniform(0.4, 0.65)) * 3, 0, 1) * 0.8
    canvas.pixels[:] = gradient
    canvas.blend(cover.astype(np.float32), (haze * 0.4 + 145).astype(np.float32))


def street(canvas: Canvas, random: Random, horizon: float) -> None:
    """Draw a road to the horizon with houses or trees beside it, and lamps."""
    vanishing = canvas.size[1] * random.uniform(0.35, 0.65)
    palette = scenery.GREENS if random.random() < 0.6 else scenery.GREYS
    scenery.ground(canvas, random, horizon, palette)
    scenery.road(canvas, random, horizon, vanishing)
    for side in (-1, 1):
        row = scenery.houses if random.random() < 0.5 else scenery.trees
        row(canvas, random, horizon, vanishing, side)
    scenery.lamps(canvas, random, horizon, vanishing)


def fields(canvas: Canvas, random: Random, horizon: float) -> None:
    """Draw hills behind each other, brighter and bluer with distance, and trees in front."""
    height, width = canvas.size
    count = int(random.integers(3, 6))
    far = np.array([150, 165, 175], np.float32)
    for layer in range(count):
        near = np.float32(layer / (count - 1))
        waves = fractal_noise(random, (2, width), cells=3 + 2 * layer)[0] - 0.5
        ridge = horizon + (height - horizon) * 0.75 * near**1.5 + waves * height * 0.2
        mask = np.clip(np.arange(height)[:, None] - ridge, 0, 1).astype(np.float32)
        colour = scenery.pick(random, scenery.GREENS) * near + far * (1 - near)
        canvas.blend(mask, canvas.textured(random, colour, cells=12 + 16 * layer))
    for depth in np.sort(random.uniform(0.15, 0.85, int(random.integers(3, 9)))):
        foot = (random.uniform(0, width), horizon + (height - horizon) * depth)
        scenery.tree(canvas, random, foot, height * depth * random.uniform(0.5, 0.9))


def town(canvas: Canvas, random: Random, horizon: float) -> None:
    """Draw houses in three depths above a square, and lamps."""
    height, width = canvas.size
    scenery.ground(canvas, random, horizon, scenery.GREYS)
    for depth in (0.3, 0.6, 1.0):
        left = -random.uniform(0, 0.2) * width
        base = horizon + (height - horizon) * 0.35 * depth
        while left < width:
            right = left + width * random.uniform(0.1, 0.28) * (0.5 + 0.5 * depth)
            tall = height * random.uniform(0.12, 0.45) * (0.4 + 0.6 * depth)
            wall = scenery.rectangle(left, base - tall, right, base)
            scenery.house(canvas, random, wall, haze=0.7 * (1 - depth))
            left = right + width * random.uniform(0, 0.12)
    for _ in range(int(random.integers(3, 9))):
        place = (random.uniform(0, width), height * random.uniform(0.45, 0.7))
        canvas.glow(place, canvas.unit * random.uniform(1, 4), scenery.LIGHTS[random.integers(4)])


def garden(canvas: Canvas, random: Random, horizon: float) -> None:
    """Draw leaves of falling size over each other (dead leaves) below a strip of sky."""
    height, width = canvas.size
    scenery.ground(canvas, random, horizon, scenery.GREENS)
    for size in np.geomspace(height * 0.3, height * 0.035, 300):
        place = (random.uniform(0, width), random.uniform(horizon * 0.5, height * 1.05))
        palette = scenery.GREENS if random.random() < 0.88 else scenery.FLOWERS
        colour = scenery.pick(random, palette) * np.float32(random.uniform(0.6, 1.35))
        scenery.leaf(canvas, random, place, size * random.uniform(0.5, 1.0), colour)
