"""Plants of drawn scenes: leaves in clumps, trees, hedges, grass."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .canvas import Box, Canvas, Colour, Paint, Point, blur_even, rectangle, scaled, shaded, tinted
from .patterns import Pixels
from .textures import cut, smooth_noise

GREENS: tuple[Colour, ...] = (
    (96, 122, 54), (74, 104, 48), (118, 128, 62), (60, 84, 44), (86, 100, 62), (112, 142, 60),
)  # fmt: skip

DRY: tuple[Colour, ...] = ((168, 144, 96), (150, 122, 80), (124, 106, 74), (186, 166, 124))

AUTUMN: tuple[Colour, ...] = ((196, 140, 48), (172, 94, 46), (204, 172, 74))

#: Foliage is shaped on an image of this fraction of the size.
_COARSE = 4


def foliage(
    canvas: Canvas,
    discs: list[tuple[float, float, float]],
    colour: Colour,
    *,
    level: int,
    depth: float = 0.0,
    dense: float = 0.94,
) -> None:
    """Draw leaves that are dense inside of discs and get sparse around them.

    Args:
        canvas: Where to draw.
        discs: Clumps of leaves as x, y and radius in pixels; later ones are in front.
        colour: RGB of leaves in even light.
        level: How often the leaves are halved.
        depth: Share of the colour that is lost to the air.
        dense: Share of leaves that are there in the middle of a disc.
    """
    reach = 0.35 * max(disc[2] for disc in discs) + 2 * _COARSE
    left, right = (f(x + s * (r + reach) for x, _, r in discs) for f, s in ((min, -1), (max, 1)))
    top, bottom = (f(y + s * (r + reach) for _, y, r in discs) for f, s in ((min, -1), (max, 1)))
    box = canvas.inside(left, top, right, bottom)
    if box is None:
        return
    there, light = _clumps(canvas, box, discs, (top, bottom), dense)
    for anchor in (0, 1):
        blur_even(there, max(1, round(0.3 * reach / _COARSE)), anchor)
        blur_even(light, max(1, round(0.15 * reach / _COARSE)), anchor)
    height, width = box[0].stop - box[0].start, box[1].stop - box[1].start
    piece = cut(canvas.random, 'leaves', level, (height, width))
    paint = Paint(canvas.far(scaled(colour, 1.25), depth), 'leaves', 1.0 - 0.7 * depth)
    shade = _enlarged(_softer(light, depth))[:height, :width]
    leaves = shaded(tinted(piece[..., :3], paint), shade)
    mask = _enlarged(there)[:height, :width] > piece[..., 3]
    canvas.lay(box, leaves, mask.astype(np.uint8))


def _clumps(
    canvas: Canvas,
    box: Box,
    discs: list[tuple[float, float, float]],
    span: tuple[float, float],
    dense: float,
) -> tuple[Pixels, Pixels]:
    """Return a coarse image of how many leaves there are, and one of the light on them.

    The light falls from above: each disc is dark with a lit part, and lower discs are darker.
    """
    (rows, columns), (top, bottom) = box, span
    size = tuple((part.stop - part.start) // _COARSE + 2 for part in (rows, columns))
    there, light = np.zeros(size, np.uint8), np.full(size, 74, np.uint8)
    for x, y, radius in discs:
        place = round((x - columns.start) / _COARSE), round((y - rows.start) / _COARSE)
        reach = max(1, round(radius / _COARSE))
        tone = 150 - 70 * (y - top) / (bottom - top) + canvas.uniform(-25, 25)
        cv2.circle(there, place, reach, round(255 * dense), -1)
        cv2.circle(light, place, reach, round(0.62 * tone), -1)
        lit = place[0] + round(reach * canvas.sun * 0.3), place[1] - round(reach * 0.3)
        cv2.circle(light, lit, max(1, reach * 7 // 10), round(tone * 1.05), -1)
    return there, light


def _enlarged(coarse: Pixels) -> Pixels:
    """Return a coarse image at the size of the canvas."""
    size = coarse.shape[1] * _COARSE, coarse.shape[0] * _COARSE
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)


def _softer(light: Pixels, depth: float) -> Pixels:
    """Bring light nearer to 128 with the depth."""
    table = np.rint(128 + (np.arange(256) - 128) * (1 - 0.8 * depth)).astype(np.uint8)
    return np.asarray(table[light])


def tree(canvas: Canvas, foot: Point, tall: float, colour: Colour, *, depth: float = 0.0) -> None:
    """Draw a tree with trunk, branches and a crown of clumps.

    Args:
        canvas: Where to draw.
        foot: Where the trunk meets the ground, x and y in pixels.
        tall: Height in pixels.
        colour: RGB of its leaves.
        depth: Share of the colour that is lost to the air.
    """
    x, y = foot
    wide, clear = tall * canvas.uniform(0.16, 0.36), canvas.uniform(0.12, 0.45)
    bark = canvas.far(canvas.pick(((70, 58, 48), (92, 82, 70), (52, 46, 42))), depth)
    lean = tall * canvas.uniform(-0.06, 0.06)
    thick = tall * canvas.uniform(0.018, 0.045)
    fork = (x + lean * 0.5, y - tall * (clear + 0.1))
    canvas.texture(
        [
            (x - thick, y),
            (fork[0] - thick * 0.7, fork[1]),
            (fork[0] + thick * 0.7, fork[1]),
            (x + thick, y),
        ],
        Paint(bark, 'bark', 0.6, canvas.level(tall / canvas.size[0])),
    )
    for _ in range(canvas.count(3, 7)):
        end = (
            fork[0] + canvas.uniform(-0.6, 0.6) * wide,
            y - tall * canvas.uniform(clear + 0.2, 0.8),
        )
        branch(canvas, fork, end, thick * 1.1, bark, forks=1)
    discs = []
    sparse = canvas.chance(0.35)
    for _ in range(canvas.count(7, 12) if sparse else canvas.count(14, 26)):
        angle, reach = canvas.uniform(0, 2 * math.pi), math.sqrt(canvas.uniform(0, 1))
        across, up = math.cos(angle) * reach, math.sin(angle) * reach
        middle = y - tall * (0.5 + clear / 2 + (0.42 - clear / 2) * up)
        radius = tall * canvas.uniform(0.06, 0.14) * (1 if sparse else 1.2)
        discs.append((x + lean + wide * across, middle, radius))
    discs.sort(key=lambda disc: disc[1])
    size = tall / canvas.size[0] * canvas.uniform(0.7, 1.3)
    dense = canvas.uniform(0.6, 0.85) if sparse else canvas.uniform(0.85, 0.99)
    foliage(canvas, discs, colour, level=canvas.level(size), depth=depth, dense=dense)


def branch(
    canvas: Canvas, start: Point, end: Point, thick: float, colour: Colour, forks: int
) -> None:
    """Draw a crooked branch, with smaller ones on it as often as there are forks."""
    (x, y), (to_x, to_y) = start, end
    bend = canvas.uniform(-0.15, 0.15)
    middle = ((x + to_x) / 2 + bend * (to_y - y), (y + to_y) / 2 - bend * (to_x - x))
    canvas.line([start, middle, end], thick, colour, max(0.8, thick * 0.35))
    if forks == 0:
        return
    for _ in range(canvas.count(2, 3)):
        base = middle if canvas.chance(0.6) else end
        turn, part = canvas.uniform(-0.9, 0.9), canvas.uniform(0.35, 0.7)
        tip = (
            base[0] + part * ((to_x - x) - turn * (to_y - y)),
            base[1] + part * ((to_y - y) + turn * (to_x - x)),
        )
        branch(canvas, base, tip, max(0.8, thick * 0.5), colour, forks - 1)


def bare_tree(canvas: Canvas, foot: Point, tall: float, *, depth: float = 0.0) -> None:
    """Draw a tree without leaves."""
    x, y = foot
    colour = canvas.far(canvas.pick(((60, 52, 46), (88, 80, 74))), depth)
    top = (x + tall * canvas.uniform(-0.08, 0.08), y - tall * 0.55)
    thick = tall * canvas.uniform(0.02, 0.04)
    canvas.line([foot, top], thick, colour, thick * 0.6)
    for _ in range(canvas.count(4, 6)):
        base = (
            x + (top[0] - x) * canvas.uniform(0.6, 1),
            y + (top[1] - y) * canvas.uniform(0.6, 1),
        )
        end = (x + tall * canvas.uniform(-0.35, 0.35), y - tall * canvas.uniform(0.7, 1))
        branch(canvas, base, end, thick * 0.55, colour, forks=3)


def hedge(
    canvas: Canvas,
    left: float,
    right: float,
    base: float,
    tall: float,
    colour: Colour,
    *,
    depth: float = 0.0,
) -> None:
    """Draw a row of bushes or a distant wood along a line."""
    discs = []
    step, rise = tall * 0.45, canvas.uniform(0.6, 1)
    for number in range(min(120, max(2, int((right - left) / step)))):
        rise = 0.7 * rise + 0.3 * canvas.uniform(0.3, 1.3)
        for _ in range(4):
            x = left + step * (number + canvas.uniform(-0.6, 0.6))
            y = base - tall * rise * canvas.uniform(0.1, 0.85)
            discs.append((x, y, tall * canvas.uniform(0.08, 0.3)))
        discs.append((left + step * number, base - tall * 0.15, tall * 0.3))
    discs.sort(key=lambda disc: disc[1] + 0.5 * disc[2])
    level = canvas.level(canvas.uniform(0.5, 1.2) * tall / canvas.size[0] * 2)
    foliage(canvas, discs, colour, level=level, depth=depth, dense=canvas.uniform(0.93, 0.995))


def blades(canvas: Canvas, base: float, tall: float, colour: Colour, number: int) -> None:
    """Draw grass that stands before the scene, from its base upwards."""
    width = canvas.size[1]
    for _ in range(number):
        x, y = canvas.uniform(-0.02, 1.02) * width, base + tall * canvas.uniform(0, 0.8)
        tip, reach = tall * canvas.uniform(-0.35, 0.35), tall * canvas.uniform(0.4, 1.1)
        tone = scaled(colour, canvas.uniform(0.5, 1.5))
        thick = max(0.8, tall * canvas.uniform(0.012, 0.035))
        canvas.fill(
            [
                (x - thick, y),
                (x + tip * 0.4, y - reach * 0.6),
                (x + tip, y - reach),
                (x + thick, y),
            ],
            tone,
        )


def tree_shadow(canvas: Canvas, foot: Point, tall: float, horizon: float) -> None:
    """Darken the ground beside a tree's foot with a shadow that has sunny gaps."""
    if canvas.sun == 0:
        return
    height = canvas.size[0]
    flat = 0.35 * (foot[1] - horizon) / max(1.0, height - horizon)
    x = foot[0] - canvas.sun * tall * canvas.uniform(0.2, 0.6)
    wide, high = tall * 0.42, max(1.5, tall * flat)
    corners = rectangle(x - wide * 1.2, foot[1] - high, x + wide * 1.2, foot[1] + high)
    box = canvas.inside(corners[0, 0], max(corners[0, 1], horizon), corners[1, 0], corners[2, 1])
    if box is None:
        return
    size = box[0].stop - box[0].start, box[1].stop - box[1].start
    rows = ((np.arange(box[0].start, box[0].stop) - foot[1]) / high)[:, None]
    columns = ((np.arange(box[1].start, box[1].stop) - x) / (wide * 1.2))[None]
    leaves = smooth_noise(canvas.random, size, 6, 4, stretch=2.0, falloff=0.9).astype(np.int32)
    shade = (1 - rows**2 - columns**2) * 500 + leaves - 190
    canvas.shadow(box, np.clip(128 - shade, 82, 128).astype(np.uint8))
