"""Streets and houses of drawn scenes: roads in perspective, walls, windows, roofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Colour, Paint, Point, mixed, rectangle, scaled
from .patterns import TextureName

WALLS: tuple[Colour, ...] = (
    (196, 172, 142), (160, 92, 72), (206, 198, 182), (136, 138, 142), (190, 174, 116),
    (176, 134, 100), (222, 218, 210), (148, 158, 150), (120, 84, 70), (170, 186, 196),
)  # fmt: skip
_ROOFS: tuple[Colour, ...] = (
    (130, 66, 50),
    (84, 80, 80),
    (110, 84, 66),
    (66, 70, 78),
    (150, 90, 60),
)
_TRIMS: tuple[Colour, ...] = (
    (228, 226, 218),
    (110, 100, 90),
    (60, 56, 54),
    (190, 60, 48),
    (60, 92, 78),
)
_MARKS: tuple[Colour, ...] = ((232, 230, 222), (226, 224, 214), (222, 176, 60))
LIT: tuple[Colour, ...] = ((255, 214, 140), (255, 190, 100), (235, 235, 225), (255, 230, 180))


@dataclass(frozen=True)
class View:
    """A flat ground seen in perspective."""

    horizon: float
    """Row of the horizon, pixels."""
    vanishing: float
    """Column where the road ends, pixels."""
    bottom: float
    """Row where the depth is 1, pixels."""
    middle: float
    """Column of the middle of the road where the depth is 1, pixels."""
    half: float
    """Half the width of the road where the depth is 1, pixels."""

    def at(self, side: float, depth: float) -> Point:
        """Return the point on the ground at a side (-1 and 1 are the kerbs) and a depth.

        The depth is 0 at the horizon and 1 close to the camera.
        """
        across = self.vanishing + (self.middle + side * self.half - self.vanishing) * depth
        return across, self.horizon + (self.bottom - self.horizon) * depth

    def strip(self, left: float, right: float, far: float = 0.0, near: float = 1.0) -> list[Point]:
        """Return the corners of a strip of ground between two sides and two depths."""
        return [self.at(left, far), self.at(right, far), self.at(right, near), self.at(left, near)]


def view(canvas: Canvas, horizon: float) -> View:
    """Return a random view of a road towards a horizon."""
    height, width = canvas.size
    return View(
        horizon=horizon,
        vanishing=width * canvas.uniform(0.25, 0.75),
        bottom=height * 1.02,
        middle=width * canvas.uniform(0.2, 0.8),
        half=width * canvas.uniform(0.3, 0.7),
    )


def road(canvas: Canvas, view: View) -> None:
    """Draw a road with kerbs or shoulders, lines, a broken middle line, patches and cracks."""
    grey = scaled(
        canvas.pick(((104, 104, 106), (128, 124, 120), (84, 86, 92), (150, 146, 140))), 0.95
    )
    if canvas.chance(0.6):  # pavements or shoulders
        light = mixed(grey, (180, 172, 160), canvas.uniform(0.2, 0.7))
        for edge in (-1, 1):
            far = edge * canvas.uniform(1.2, 1.7)
            canvas.texture(view.strip(far, edge, 0.01, 1.1), Paint(light, 'rough', 0.3, 1))
            canvas.fill(view.strip(edge * 1.03, edge, 0.01, 1.1), scaled(light, 0.75))
    paint = Paint(grey, 'rough', canvas.uniform(0.2, 0.45), canvas.count(0, 2))
    canvas.texture(view.strip(-1, 1, 0.004, 1.1), paint, (1.12, canvas.uniform(0.85, 1.1)))
    canvas.pave(view.strip(-1, 1, 0.004, 1.1))
    for _ in range(canvas.count(0, 3)):
        side, depth = canvas.uniform(-0.9, 0.7), canvas.uniform(0.2, 0.8)
        patch = view.strip(
            side, side + canvas.uniform(0.05, 0.35), depth, depth * canvas.uniform(1.1, 2.2)
        )
        canvas.shadow_of(patch, canvas.uniform(0.86, 1.1))
    if canvas.chance(0.85):
        _markings(canvas, view)


def _markings(canvas: Canvas, view: View) -> None:
    """Draw lines along the road, and perhaps a crossing."""
    paint = scaled(canvas.pick(_MARKS, 0.1), canvas.uniform(0.8, 1))
    thin = canvas.uniform(0.012, 0.03)
    if canvas.chance(0.7):
        for edge in (-0.9, 0.9):
            canvas.fill(view.strip(edge - thin, edge + thin, 0.02, 1.1), canvas.pick(_MARKS, 0.1))
    lanes = (0.0,) if canvas.chance(0.6) else (-0.3, 0.3)
    spacing = canvas.uniform(0.5, 1.1)
    start = canvas.uniform(0, 0.5)
    for side in lanes:
        for dash in range(14):
            near = 1.1 / (1 + spacing * (dash + start))
            far = 1.1 / (1 + spacing * (dash + start + 0.45))
            canvas.fill(view.strip(side - thin, side + thin, far, near), paint)
    if canvas.chance(0.2):
        depth = canvas.uniform(0.3, 0.7)
        for bar in range(9):
            side = -0.88 + bar * 0.21
            canvas.fill(view.strip(side, side + 0.1, depth, depth * 1.25), paint)


class Wall:
    """A wall with four corners on the image; places on it run from 0 to 1 across and down."""

    def __init__(self, corners: NDArray[np.float64]) -> None:
        self.corners = corners

    def at(self, across: float, down: float) -> Point:
        """Return the point of a place on the wall."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.corners.tolist()
        top = ax + (bx - ax) * across, ay + (by - ay) * across
        low = dx + (cx - dx) * across, dy + (cy - dy) * across
        return top[0] + (low[0] - top[0]) * down, top[1] + (low[1] - top[1]) * down

    def part(self, left: float, top: float, right: float, bottom: float) -> list[Point]:
        """Return the corners of an upright part of the wall."""
        return [
            self.at(left, top),
            self.at(right, top),
            self.at(right, bottom),
            self.at(left, bottom),
        ]


def house(
    canvas: Canvas,
    corners: NDArray[np.float64],
    depth: float = 0.0,
    light: float = 1.0,
    storey: float = 14.0,
) -> None:
    """Draw a wall with windows, a ground floor and a roof edge.

    Args:
        canvas: Where to draw.
        corners: Corners (4, 2) in the order top left, top right, bottom right, bottom left.
        depth: Share of the colours that is lost to the air.
        light: How much light falls on the wall; 1 is full.
        storey: Height of a storey in units.
    """
    wall = Wall(corners)
    tall = abs(corners[3, 1] - corners[0, 1])
    frontal = corners[0, 1] == corners[1, 1] and corners[2, 1] == corners[3, 1]
    names: tuple[TextureName, ...] = ('bricks', 'tiles', 'rough', 'noise', 'boards')
    name = names[canvas.count(0, 4)] if frontal else ('rough', 'noise')[canvas.count(0, 1)]
    colour = scaled(canvas.far(canvas.pick(WALLS), depth), light)
    level = canvas.level(tall / canvas.size[0] * canvas.uniform(0.5, 1.2))
    strength = canvas.uniform(0.25, 0.6) * (1 - depth) * (0.6 if name in ('rough', 'noise') else 1)
    canvas.texture(corners, Paint(colour, name, strength, level), (1.05, 0.88))
    size = tall / canvas.unit
    rows = max(1, min(14, round(size / (storey * canvas.uniform(0.65, 1.4)))))
    wide = abs(corners[1, 0] - corners[0, 0]) / canvas.unit
    columns = max(
        1, min(16, round(wide / (storey * canvas.uniform(0.5, 1.1)) * (1 if frontal else 1.6)))
    )
    windows(canvas, wall, (rows, columns), colour, depth)
    trim = canvas.far(scaled(canvas.pick(_TRIMS), light), depth)
    if canvas.chance(0.6):
        canvas.fill(wall.part(-0.02, -0.02, 1.02, 0.025), trim)
        canvas.fill(wall.part(0, 0.025, 1, 0.04), scaled(colour, 0.6))


@dataclass(frozen=True)
class _Windows:
    """Appearance of the windows of one wall; places are shares of a window's field."""

    left: float
    top: float
    right: float
    bottom: float
    trim: Colour
    glass: Colour
    sky: Colour
    frame: bool
    bars: bool
    shutters: bool


def _style(canvas: Canvas, depth: float) -> _Windows:
    """Return random windows."""
    left, top, bottom = (
        canvas.uniform(0.14, 0.3),
        canvas.uniform(0.15, 0.3),
        canvas.uniform(0.7, 0.88),
    )
    if canvas.chance(0.2):  # bands of glass
        left = 0.03
    return _Windows(
        left=left,
        top=top,
        right=1 - left,
        bottom=bottom,
        trim=canvas.far(canvas.pick(_TRIMS), depth),
        glass=canvas.far((50, 58, 68), depth),
        sky=canvas.far(mixed(canvas.haze, (120, 130, 145), 0.6), depth),
        frame=canvas.chance(0.6),
        bars=canvas.chance(0.6),
        shutters=canvas.chance(0.18),
    )


def windows(
    canvas: Canvas, wall: Wall, count: tuple[int, int], colour: Colour, depth: float
) -> None:
    """Draw rows and columns of equal windows, with frames, bars, sills, some lit at night."""
    rows, columns = count
    style, balcony = _style(canvas, depth), canvas.chance(0.15)
    for row in range(rows):
        top, tall = (row + 0.1) / (rows + 0.2), 1 / (rows + 0.2)
        for column in range(columns):
            corners = wall.part(column / columns, top, (column + 1) / columns, top + tall)
            _window(canvas, Wall(np.array(corners)), style, colour)
        if balcony:
            low = top + 0.88 * tall
            canvas.fill(wall.part(0, low, 1, low + 0.12 * tall), scaled(colour, 1.12))
            canvas.fill(wall.part(0, low + 0.12 * tall, 1, low + 0.18 * tall), scaled(colour, 0.45))


def _window(canvas: Canvas, field: Wall, style: _Windows, colour: Colour) -> None:
    """Draw one window in its field of a wall."""
    left, top, right, bottom = style.left, style.top, style.right, style.bottom
    edge = 0.05
    if style.shutters:
        canvas.fill(field.part(left - 0.13, top, right + 0.13, bottom), scaled(style.trim, 0.8))
    if style.frame:
        canvas.fill(field.part(left - edge, top - edge, right + edge, bottom + edge), style.trim)
    pane = mixed(style.glass, style.sky, canvas.uniform(0, 0.75))
    shine: Colour = (0, 0, 0)
    if canvas.chance(0.35):
        shine = scaled(canvas.pick(LIT), canvas.uniform(0.4, 1))
    canvas.fill(field.part(left, top, right, bottom), pane, shine)
    if canvas.chance(0.4):  # a curtain, or what is mirrored
        end = top + (bottom - top) * canvas.uniform(0.3, 0.8)
        tone = mixed(pane, style.sky, canvas.uniform(0.2, 0.8))
        canvas.fill(field.part(left, top, right, end), tone, scaled(shine, 0.8))
    if style.bars:
        middle, half = (left + right) / 2, (top + bottom) / 2
        canvas.fill(field.part(middle - 0.02, top, middle + 0.02, bottom), style.trim)
        canvas.fill(field.part(left, half, right, half + 0.03), style.trim)
    sill = bottom + 0.07
    canvas.fill(field.part(left - edge, bottom, right + edge, sill), scaled(colour, 1.2))
    canvas.fill(field.part(left - edge, sill, right + edge, sill + 0.04), scaled(colour, 0.55))


def gable(canvas: Canvas, left: float, top: float, right: float, depth: float) -> None:
    """Draw a roof over a wall that faces the camera, with a chimney."""
    tall = (right - left) * canvas.uniform(0.2, 0.45)
    colour = canvas.far(canvas.pick(_ROOFS), depth)
    over = (right - left) * 0.05
    inset = canvas.uniform(0, 0.5) * (right - left)
    chimney = left + (right - left) * canvas.uniform(0.2, 0.8)
    wide = (right - left) * 0.05
    if canvas.chance(0.6):
        canvas.fill(
            rectangle(chimney - wide, top - tall * 1.15, chimney + wide, top), scaled(colour, 0.8)
        )
    corners = [
        (left - over, top),
        (left + inset, top - tall),
        (right - inset, top - tall),
        (right + over, top),
    ]
    level = canvas.level(tall / canvas.size[0] * 2)
    canvas.texture(corners, Paint(colour, 'bricks', 0.6 * (1 - depth), level), (1.1, 0.85))
    canvas.fill(
        rectangle(left - over, top - over * 0.3, right + over, top + over * 0.3),
        scaled(colour, 0.5),
    )


def row_of_houses(canvas: Canvas, view: View, side: int) -> None:
    """Draw houses along one side of a street (-1 left, 1 right), far ones first."""
    distance = canvas.uniform(1.5, 2.2) * side
    light = 1.0 if canvas.sun == 0 else (1.12 if canvas.sun != side else 0.62)
    depth, storeys = canvas.uniform(0.07, 0.14), canvas.uniform(0.8, 1.9)
    while depth < 1.3:
        near = depth * canvas.uniform(1.25, 1.7)
        tall = storeys * view.half * canvas.uniform(0.75, 1.3)
        (far_x, far_y), (near_x, near_y) = view.at(distance, depth), view.at(distance, near)
        corners = np.array([
            (far_x, far_y - tall * depth), (near_x, near_y - tall * near), (near_x, near_y), (far_x, far_y),
        ])  # fmt: skip
        if side > 0 or far_x < near_x:
            house(canvas, corners, 0.65 * max(0.0, 1 - 1.6 * depth), light)
        else:
            house(canvas, corners[[1, 0, 3, 2]], 0.65 * max(0.0, 1 - 1.6 * depth), light)
        depth = near if canvas.chance(0.7) else near * 1.15


def skyline(canvas: Canvas, base: float, tall: float, depth: float) -> None:
    """Draw houses that face the camera side by side on one line."""
    width = canvas.size[1]
    left = -canvas.uniform(0, 0.2) * width
    light = canvas.uniform(0.75, 1.1)
    while left < width:
        right = left + tall * canvas.uniform(0.4, 1.6)
        top = base - tall * canvas.uniform(0.5, 1.1)
        if canvas.chance(0.45):
            gable(canvas, left, top, right, depth)
        house(canvas, rectangle(left, top, right, base), depth, light * canvas.uniform(0.9, 1.1))
        left = right + (0 if canvas.chance(0.6) else tall * canvas.uniform(0, 0.5))
