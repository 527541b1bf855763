"""Things that scenes are made of: ground, road, houses, trees, lamps, leaves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .brushes import Canvas, Floats, Random


def _colours(*values: tuple[int, int, int]) -> Floats:
    return np.array(values, np.float32)


#: RGB colours, 0 to 255.
SKIES = _colours((92, 140, 205), (120, 160, 205), (160, 178, 196), (150, 130, 150), (70, 100, 165))
GREENS = _colours((62, 92, 40), (86, 112, 52), (48, 78, 46), (108, 122, 62), (70, 88, 30))
GREYS = _colours((104, 102, 100), (128, 122, 112), (90, 94, 100), (140, 134, 124))
WALLS = _colours((176, 148, 120), (150, 92, 74), (190, 180, 160), (120, 124, 130), (168, 160, 96))
FLOWERS = _colours((206, 66, 60), (226, 190, 70), (190, 110, 190), (232, 226, 214))
LIGHTS = _colours((255, 236, 180), (255, 190, 110), (255, 120, 90), (235, 245, 255))

_TRUNK = np.array([66, 50, 38], np.float32)
_HAZE = np.array([172, 180, 186], np.float32)


def pick(random: Random, palette: Floats) -> Floats:
    """Return one colour (3,) of a palette (n, 3), a little darker or brighter."""
    return palette[random.integers(len(palette))] * np.float32(random.uniform(0.8, 1.15))


def rectangle(left: float, top: float, right: float, bottom: float) -> Floats:
    """Return the corners (4, 2) of an upright rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def ground(canvas: Canvas, random: Random, horizon: float, palette: Floats) -> None:
    """Cover everything below the horizon, hazy at the horizon and darker towards the camera."""
    height, width = canvas.size
    paint = canvas.textured(random, pick(random, palette), cells=14, contrast=0.5)
    near = np.clip((np.arange(height) - horizon) / (height - horizon), 0, 1).astype(np.float32)
    paint = _HAZE + (paint - _HAZE) * (0.35 + 0.65 * near[:, None, None] ** 0.5)
    canvas.fill(rectangle(-2, horizon, width + 2, height + 2), paint)


def road(canvas: Canvas, random: Random, horizon: float, vanishing: float) -> None:
    """Draw a road towards the vanishing point, with side lines and a broken middle line."""
    height, width = canvas.size
    centre = width * random.uniform(0.3, 0.7)
    half = width * random.uniform(0.35, 0.6)
    paint = canvas.textured(random, pick(random, GREYS) * 0.8, cells=40, contrast=0.2)

    def strip(from_side: float, to_side: float, start: float = 0.0, stop: float = 1.0) -> Floats:
        points = []
        for depth, side in (
            (start, from_side),
            (start, to_side),
            (stop, to_side),
            (stop, from_side),
        ):
            across = vanishing + (centre + side * half - vanishing) * depth
            points.append((across, horizon + (height - horizon) * depth))
        return np.array(points, np.float32)

    canvas.fill(strip(-1, 1, 0.0, 1.05), paint)
    white = np.array([226, 224, 214], np.float32) * np.float32(random.uniform(0.75, 1))
    for side in (-0.92, 0.92):
        canvas.fill(strip(side - 0.02, side + 0.02), white)
    for dash in range(8):
        start = 1 / (1 + 0.9 * (dash + random.uniform(0, 0.2)))
        canvas.fill(strip(-0.02, 0.02, start * 0.72, start), white)


def houses(canvas: Canvas, random: Random, horizon: float, vanishing: float, side: int) -> None:
    """Draw a row of houses along one side of a street (-1 left, 1 right), far ones first."""
    height, width = canvas.size
    depths = np.geomspace(0.12, 1.1, 7)
    for far, near in pairwise(depths):
        far_x, near_x = (vanishing + side * width * 0.62 * depth for depth in (far, near))
        tall = height * random.uniform(0.35, 0.75)
        below = (height - horizon) * 0.55
        corners = np.array(
            [
                (far_x, horizon - tall * far),
                (near_x, horizon - tall * near),
                (near_x, horizon + below * near),
                (far_x, horizon + below * far),
            ],
            np.float32,
        )
        house(canvas, random, corners, haze=0.6 * (1 - near))


def house(canvas: Canvas, random: Random, corners: Floats, haze: float) -> None:
    """Draw a wall with windows, some of them lit.

    Args:
        canvas: Where to draw.
        random: Source of random numbers.
        corners: Corners (4, 2) in the order top start, top end, bottom end, bottom start.
        haze: How much of the colour is lost to the distance, 0 to 1.
    """
    wall = pick(random, WALLS)
    paint = canvas.textured(random, wall + (_HAZE - wall) * haze, cells=30, contrast=0.15)
    canvas.fill(corners, paint)
    top_start, top_end, bottom_end, bottom_start = corners
    columns, rows = int(random.integers(2, 5)), int(random.integers(2, 6))

    def place(across: float, down: float) -> Floats:
        upper = top_start + (top_end - top_start) * across
        lower = bottom_start + (bottom_end - bottom_start) * across
        return upper + (lower - upper) * down

    for column in range(columns):
        for row in range(rows):
            left, top = (column + 0.28) / columns, (row + 0.25) / (rows + 0.4)
            right, bottom = (column + 0.72) / columns, (row + 0.8) / (rows + 0.4)
            quad = [place(left, top), place(right, top), place(right, bottom), place(left, bottom)]
            lit = random.random() < 0.25
            glass = LIGHTS[0] * 0.9 if lit else np.array([48, 58, 70], np.float32)
            canvas.fill(np.array(quad), glass + (_HAZE - glass) * np.float32(haze))


def trees(canvas: Canvas, random: Random, horizon: float, vanishing: float, side: int) -> None:
    """Draw a row of trees along one side of a street (-1 left, 1 right), far ones first."""
    height, width = canvas.size
    for depth in np.geomspace(0.1, 1.0, 7) * random.uniform(0.85, 1.15):
        across = vanishing + side * width * random.uniform(0.5, 0.75) * depth
        base = horizon + (height - horizon) * 0.5 * depth
        tree(canvas, random, (across, base), height * random.uniform(0.6, 0.9) * depth)


def tree(canvas: Canvas, random: Random, foot: tuple[float, float], tall: float) -> None:
    """Draw a tree as a trunk and a heap of leaf clumps, dark below and lit from above."""
    x, y = foot
    trunk = tall * 0.035
    canvas.fill(rectangle(x - trunk, y - tall * 0.5, x + trunk, y), _TRUNK)
    green = pick(random, GREENS)
    for _ in range(48):
        angle, reach = random.uniform(0, 2 * np.pi), np.sqrt(random.random())
        right, up = np.cos(angle) * reach, -np.sin(angle) * reach
        place = (x + tall * 0.3 * right, y - tall * (0.66 + 0.32 * up))
        light = np.float32(0.75 + 0.4 * up + random.normal(0, 0.15))
        leaf(canvas, random, place, tall * random.uniform(0.07, 0.15), green * light)


def leaf(
    canvas: Canvas, random: Random, place: tuple[float, float], size: float, colour: Floats
) -> None:
    """Draw an ellipse-like shape with an uneven outline and a lighter half."""
    turn, flat = random.uniform(0, np.pi), random.uniform(0.45, 0.95)
    angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    radii = size * 0.5 * (1 + 0.15 * random.standard_normal(14))
    points = np.stack([np.cos(angles) * radii, np.sin(angles) * radii * flat], axis=1)
    turned = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    canvas.fill((turned + place).astype(np.float32), np.asarray(colour, np.float32))
    if size > 4 * canvas.unit:
        half = (turned[:7] * 0.85 + place).astype(np.float32)
        canvas.fill(half, np.asarray(colour * np.float32(1.12), np.float32))


def lamps(canvas: Canvas, random: Random, horizon: float, vanishing: float) -> None:
    """Draw street lamps on poles, and head or tail lights on the road."""
    height, width = canvas.size
    side = 1 if random.random() < 0.5 else -1
    colour = LIGHTS[random.integers(2)]
    for depth in np.geomspace(0.15, 0.9, 4):
        x = vanishing + side * width * 0.48 * depth
        top, foot = horizon - height * 0.42 * depth, horizon + (height - horizon) * 0.5 * depth
        pole = 1.2 * canvas.unit * depth
        canvas.fill(rectangle(x - pole, top, x + pole, foot), np.array([54, 54, 58], np.float32))
        canvas.glow((x, top), canvas.unit * (1 + 4 * depth), colour)
    for _ in range(int(random.integers(0, 4))):
        depth = random.uniform(0.12, 0.5)
        x = vanishing + width * random.uniform(-0.4, 0.4) * depth
        y = horizon + (height - horizon) * depth * 0.8
        for offset in (-1, 1):
            place = (x + offset * width * 0.06 * depth, y)
            canvas.glow(place, canvas.unit * (0.6 + 3 * depth), LIGHTS[random.integers(4)])
