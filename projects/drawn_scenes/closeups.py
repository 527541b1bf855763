"""Scenes from near: bushes, dead leaves of any texture, large things before a blurred background."""

from __future__ import annotations

import numpy as np

from . import foliage, scenery
from .canvas import Canvas, Colour, Paint, mixed, rectangle, scaled
from .foliage import GREENS
from .landscapes import country, forest, plant_colours
from .patterns import TextureName, outline, power_law
from .scenery import GREYS

ANY: tuple[Colour, ...] = (
    (160, 60, 50), (60, 90, 150), (200, 170, 70), (90, 80, 70), (210, 205, 195), (70, 110, 70),
    (130, 120, 110), (40, 42, 48), (180, 130, 100), (120, 150, 170), (96, 70, 110), (225, 150, 60),
)  # fmt: skip

_SURFACES: tuple[TextureName, ...] = (
    'noise', 'rough', 'leaves', 'grass', 'stones', 'bricks', 'boards', 'water', 'bark', 'fur', 'tiles'
)  # fmt: skip


def garden(canvas: Canvas) -> float:
    """Draw bushes and flowers from near, over a blurred background."""
    height, width = canvas.size
    scenery.sky(canvas, height * canvas.uniform(0.2, 0.8))
    name: TextureName = 'grass' if canvas.chance(0.5) else 'leaves'
    scenery.ground(
        canvas,
        height * canvas.uniform(0.1, 0.5),
        Paint(scaled(canvas.pick(GREENS), 1.3), name, 0.9, canvas.level(1)),
    )
    for step in range(3):
        start, tall = width * canvas.uniform(-0.4, 0.5), height * canvas.uniform(0.3, 0.7)
        base = height * (0.6 + 0.2 * step)
        foliage.hedge(
            canvas,
            start,
            start + width * canvas.uniform(0.5, 1.2),
            base,
            tall,
            canvas.pick(plant_colours(canvas)),
            depth=0.15 * (2 - step),
        )
    if canvas.chance(0.7):
        canvas.soften(max(1, round(canvas.unit * canvas.uniform(0.5, 2.5))))
    palette = (*plant_colours(canvas), canvas.pick(ANY))
    count, low = canvas.count(120, 320), canvas.uniform(0, 0.5)
    sizes = power_law(canvas.random, canvas.unit * canvas.uniform(5, 14), canvas.unit * 70, count)
    for number, size in enumerate(sizes.tolist()):
        place = (
            width * canvas.uniform(0, 1),
            height * max(canvas.uniform(low, 1.1), canvas.uniform(low, 1.1)),
        )
        tone = scaled(
            canvas.pick(palette), (0.35 + 0.9 * number / count) * canvas.uniform(0.7, 1.4)
        )
        _leaf(canvas, place, size * 0.5, tone)
    if canvas.chance(0.5):
        foliage.blades(canvas, height, height * canvas.uniform(0.2, 0.6), canvas.pick(GREENS), 90)
    return 0


def _leaf(canvas: Canvas, place: tuple[float, float], size: float, colour: Colour) -> None:
    """Draw a pointed leaf with two halves and a rib."""
    turn, flat = canvas.uniform(-1, 1), canvas.uniform(0.25, 0.55)
    along = np.array([turn, -1.0]) / (1 + abs(turn)) * size * 1.3
    across = np.array([-along[1], along[0]]) * flat
    middle = np.array(place)
    spine = [middle - along, middle + along]
    one = [
        spine[0],
        middle - along * 0.4 + across * 0.8,
        middle + along * 0.2 + across * 0.75,
        spine[1],
    ]
    two = [
        spine[0],
        middle - along * 0.4 - across * 0.8,
        middle + along * 0.2 - across * 0.75,
        spine[1],
    ]
    if size > 4 * canvas.unit:
        canvas.shadow_of([corner + size * 0.15 for corner in (*one, *two[::-1])], 0.6)
        canvas.texture(one, Paint(scaled(colour, 1.15), 'noise', 0.25, 1))
        canvas.texture(two, Paint(colour, 'noise', 0.25, 1))
        canvas.line(
            [tuple(spine[0].tolist()), tuple(spine[1].tolist())],
            max(0.9, size * 0.04),
            scaled(colour, 1.4),
        )
    else:
        canvas.fill(one, scaled(colour, 1.15))
        canvas.fill(two, colour)


def pieces(canvas: Canvas) -> float:
    """Draw dead leaves: opaque textured shapes of power-law size at random places."""
    height, width = canvas.size
    largest = height * canvas.uniform(0.3, 0.7)
    muted = canvas.uniform(0, 0.8)
    palette = tuple(
        mixed(canvas.pick(ANY, 0.4), canvas.pick(GREYS, 0.5), muted * canvas.uniform(0.3, 1))
        for _ in range(canvas.count(3, 9))
    )
    canvas.texture(rectangle(-1, -1, width + 1, height + 1), Paint(canvas.pick(palette), 'noise'))
    most, all_sizes = canvas.unit * canvas.uniform(8, 14), canvas.unit * 2
    sizes = [
        *power_law(canvas.random, min(most, largest / 2), largest, 150).tolist(),
        *power_law(canvas.random, all_sizes, largest, canvas.count(150, 500)).tolist(),
    ]
    for size in sizes:
        place = (width * canvas.uniform(-0.1, 1.1), height * canvas.uniform(-0.1, 1.1))
        _piece(canvas, place, size * 0.75, canvas.pick(palette, 0.35))
    return 0


def _piece(canvas: Canvas, place: tuple[float, float], size: float, colour: Colour) -> None:
    """Draw a polygon, ellipse or box with a texture, shading and a shadow."""
    corners = (3, 4, 4, 5, 24, 24, 24)[canvas.count(0, 6)]
    uneven = 0.05 if corners == 24 else 0.25
    shape = outline(canvas.random, corners, canvas.uniform(0.25, 1), uneven) * size
    if canvas.chance(0.25):
        shape = rectangle(
            -size * canvas.uniform(0.2, 1), -size * canvas.uniform(0.2, 1), size * 0.6, size * 0.6
        )
    points = shape + place
    if size < 5 * canvas.unit:
        canvas.fill(points, colour)
        return
    canvas.shadow_of(points + (canvas.sun or 0.5) * size * 0.08, canvas.uniform(0.5, 0.9))
    name = _SURFACES[canvas.count(0, len(_SURFACES) - 1)]
    level = canvas.level(canvas.uniform(0.4, 2))
    strength = canvas.uniform(0.1, 0.8) if canvas.chance(0.8) else 0.04
    canvas.texture(
        points,
        Paint(colour, name, strength, level),
        (canvas.uniform(0.8, 1.4), canvas.uniform(0.4, 1.1)),
    )


def portrait(canvas: Canvas) -> float:
    """Draw few large things with fur, cloth or bark before a blurred background."""
    height, width = canvas.size
    behind = (country, forest, pieces)[canvas.count(0, 2)]
    behind(canvas)
    canvas.soften(max(1, round(canvas.unit * canvas.uniform(0.8, 3))))
    skins: tuple[TextureName, ...] = (
        'fur',
        'noise',
        'rough',
        'bark',
        'stones',
        'water',
        'tiles',
        'boards',
    )
    for _ in range(canvas.count(1, 3)):
        colour = mixed(canvas.pick(ANY, 0.3), canvas.pick(GREYS), canvas.uniform(0, 0.7))
        name = skins[canvas.count(0, len(skins) - 1)]
        x, y = width * canvas.uniform(0.2, 0.8), height * canvas.uniform(0.45, 0.9)
        for _ in range(canvas.count(2, 5)):
            size = height * canvas.uniform(0.12, 0.4)
            shape = outline(canvas.random, 30, canvas.uniform(0.5, 0.95), 0.04) * size
            middle_x = x + canvas.uniform(-0.25, 0.25) * height
            middle_y = y + canvas.uniform(-0.25, 0.25) * height
            points = shape + np.array([middle_x, middle_y])
            canvas.shadow_of(points + size * 0.08, 0.6)
            canvas.texture(
                points,
                Paint(scaled(colour, 1.15), name, canvas.uniform(0.3, 0.8), canvas.level(2)),
                (1.35, 0.45),
            )
    return 0
