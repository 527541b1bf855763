"""Scenes of streets and places with houses, cars, lamps and people."""

from __future__ import annotations

from . import foliage, objects, scenery, streets
from .canvas import Canvas, Lamp, Paint, rectangle
from .foliage import DRY, GREENS
from .landscapes import close_by, distance, meadow, plant_colours
from .scenery import GREYS


def _beside(canvas: Canvas, view: streets.View, side: int) -> None:
    """Draw what stands along one side of a road: houses, trees, a hedge, a railing."""
    kind = canvas.uniform(0, 1)
    if kind < 0.4:
        streets.row_of_houses(canvas, view, side)
    palette = plant_colours(canvas)
    if kind > 0.3:
        place, tall = canvas.uniform(1.4, 2.4) * side, view.half * canvas.uniform(0.7, 1.8)
        depth = canvas.uniform(0.1, 0.2)
        while depth < 1:
            foot, here = (
                view.at(place * canvas.uniform(0.9, 1.2), depth),
                tall * depth * canvas.uniform(0.7, 1.2),
            )
            foliage.tree_shadow(canvas, foot, here, view.horizon)
            foliage.tree(
                canvas, foot, here, canvas.pick(palette), depth=0.5 * max(0.0, 1 - 1.8 * depth)
            )
            depth *= canvas.uniform(1.3, 1.9)
    if canvas.chance(0.3):
        place = 1.25 * side
        tall = view.half * canvas.uniform(0.1, 0.2)
        tone = canvas.pick(((90, 92, 94), (200, 200, 196), (60, 56, 54)))
        objects.railing(canvas, view.at(place, 0.1), view.at(place, 1), (tall * 0.1, tall), tone)


def _traffic(canvas: Canvas, view: streets.View, most: int) -> None:
    """Draw cars on the road and people beside it, far ones first."""
    depths = sorted(canvas.uniform(0.05, 0.7) for _ in range(canvas.count(0, most)))
    for depth in depths:
        haze = 0.4 * max(0.0, 1 - 2.5 * depth)
        if canvas.chance(0.7):
            foot = view.at((-0.48, 0.48, -0.75, 0.75)[canvas.count(0, 3)], depth)
            objects.car_along(canvas, foot, view.half * depth * canvas.uniform(0.42, 0.55), haze)
        else:
            foot = view.at(canvas.uniform(1.05, 1.4) * (-1) ** canvas.count(0, 1), depth)
            objects.person(canvas, foot, view.half * depth * canvas.uniform(0.42, 0.5), haze)


def _posts(canvas: Canvas, view: streets.View) -> None:
    """Draw street lamps and signs along a road."""
    side = 1 if canvas.chance(0.5) else -1
    tall = view.half * canvas.uniform(1.2, 2.2)
    if canvas.chance(0.65) or canvas.shine is not None:
        for step in range(5, -1, -1):
            depth = 1.0 / (1 + 0.9 * step)
            foot = view.at(side * 1.15, depth)
            objects.street_lamp(
                canvas, foot, tall * depth, -side * tall * depth * 0.22, 0.3 * (1 - depth)
            )
    for _ in range(canvas.count(0, 3)):
        depth = canvas.uniform(0.15, 0.9)
        foot = view.at(canvas.uniform(1.1, 1.8) * (-1) ** canvas.count(0, 1), depth)
        size = view.half * depth
        objects.sign(
            canvas, foot, size * canvas.uniform(0.4, 0.9), size * canvas.uniform(0.15, 0.6)
        )


def street(canvas: Canvas) -> float:
    """Draw a road to the horizon with houses or trees beside it."""
    horizon = canvas.size[0] * canvas.uniform(0.3, 0.58)
    scenery.sky(canvas, horizon)
    distance(canvas, horizon)
    meadow(canvas, horizon)
    view = streets.view(canvas, horizon)
    if canvas.chance(0.35):
        canvas.soften(max(1, round(canvas.unit * 0.35)))
    streets.road(canvas, view)
    for side in (-1, 1) if canvas.chance(0.5) else (1, -1):
        _beside(canvas, view, side)
    _posts(canvas, view)
    _traffic(canvas, view, 7)
    close_by(canvas)
    return horizon


def highway(canvas: Canvas) -> float:
    """Draw a wide road through open land, with crash barriers."""
    height, width = canvas.size
    horizon = height * canvas.uniform(0.4, 0.62)
    scenery.sky(canvas, horizon)
    scenery.hills(canvas, horizon, canvas.count(1, 3), DRY + GREENS[:3])
    meadow(canvas, horizon)
    view = streets.View(
        horizon,
        width * canvas.uniform(0.3, 0.7),
        height * 1.02,
        width * canvas.uniform(0.35, 0.65),
        width * canvas.uniform(0.7, 1.2),
    )
    for _ in range(canvas.count(1, 6)):
        depth = canvas.uniform(0.03, 0.25)
        foot = view.at(canvas.uniform(1.1, 2.5) * (-1) ** canvas.count(0, 1), depth)
        tall = height * canvas.uniform(0.06, 0.5)
        foliage.tree(
            canvas,
            foot,
            tall,
            canvas.pick(plant_colours(canvas)),
            depth=0.35 * (1 - 3 * depth) if depth < 0.33 else 0.0,
        )
    streets.road(canvas, view)
    for side in (-1, 1):
        if canvas.chance(0.5):
            objects.guard_rail(canvas, view, side * canvas.uniform(1.02, 1.15))
    if canvas.shine is not None or canvas.chance(0.3):
        _posts(canvas, view)
    _traffic(canvas, view, 6)
    return horizon


def plaza(canvas: Canvas) -> float:
    """Draw rows of houses behind an open place with people, cars, trees and lamps."""
    height, width = canvas.size
    horizon = height * canvas.uniform(0.4, 0.6)
    scenery.sky(canvas, horizon)
    distance(canvas, horizon)
    base = horizon + height * canvas.uniform(0.02, 0.1)
    meadow(canvas, horizon)
    view = streets.View(horizon, width / 2, height, width / 2, width * 0.6)
    if canvas.chance(0.5):
        streets.skyline(canvas, base - canvas.unit, height * canvas.uniform(0.3, 0.6), 0.3)
    streets.skyline(canvas, base, height * canvas.uniform(0.2, 0.6), 0.08)
    if canvas.chance(0.5):
        streets.road(canvas, view)
    for depth in sorted(canvas.uniform(0.1, 0.9) for _ in range(canvas.count(4, 12))):
        foot = (width * canvas.uniform(-0.05, 1.05), base + (height - base) * depth)
        size = height * (0.12 + 0.45 * depth)
        _thing(canvas, foot, size, horizon)
    _lamps_at_night(canvas, base)
    close_by(canvas)
    return base


def _thing(canvas: Canvas, foot: tuple[float, float], size: float, horizon: float) -> None:
    """Draw one thing that stands on a place; its size is the height of a person."""
    kind = canvas.count(0, 6)
    if kind == 0:
        foliage.tree_shadow(canvas, foot, size * 2.2, horizon)
        foliage.tree(
            canvas, foot, size * canvas.uniform(1.5, 3), canvas.pick(plant_colours(canvas))
        )
    elif kind == 1:
        objects.car_from_side(canvas, foot, size * 2.2)
    elif kind in (2, 3):
        objects.person(canvas, foot, size * 0.9)
    elif kind == 4:
        objects.street_lamp(
            canvas, foot, size * canvas.uniform(1.8, 3), size * canvas.uniform(-0.5, 0.5)
        )
    elif kind == 5:
        objects.sign(canvas, foot, size * canvas.uniform(0.7, 1.5), size * canvas.uniform(0.4, 1.4))
    else:
        tone = canvas.pick(((60, 60, 62), (200, 90, 40), (150, 152, 150)))
        end = (foot[0] + size * canvas.uniform(-3, 3), foot[1] + size * canvas.uniform(-0.1, 0.1))
        objects.railing(canvas, foot, end, (size * 0.5, size * 0.5), tone)


def _lamps_at_night(canvas: Canvas, base: float) -> None:
    """Draw street lamps in a row along a line, and far lights behind it."""
    if canvas.shine is None:
        return
    height, width = canvas.size
    count, tall = canvas.count(2, 5), height * canvas.uniform(0.2, 0.5)
    for number in range(count):
        foot = (width * (number + canvas.uniform(0.3, 0.7)) / count, base + height * 0.04)
        objects.street_lamp(canvas, foot, tall, tall * 0.2)
    for _ in range(canvas.count(0, 12)):
        place = (width * canvas.uniform(0, 1), base - height * canvas.uniform(0, 0.12))
        canvas.lamps.append(
            Lamp(place, canvas.unit * canvas.uniform(0.3, 0.9), canvas.pick(streets.LIT), 1)
        )


def facade(canvas: Canvas) -> float:
    """Draw a wall that fills the image, with windows, plants and things before it."""
    height, width = canvas.size
    base = height * canvas.uniform(0.8, 1.1)
    scenery.sky(canvas, height * 0.4)
    scenery.ground(
        canvas, height * 0.7, Paint(canvas.pick(GREYS), 'tiles', 0.5, canvas.level(1)), 0.2
    )
    left = -canvas.uniform(0, 0.2) * width
    top, storey = height * canvas.uniform(-0.25, 0.2), canvas.uniform(14, 60)
    while left < width:
        right = left + width * canvas.uniform(0.4, 1.3)
        if top > 0:
            streets.gable(canvas, left, top, right, 0)
        streets.house(
            canvas, rectangle(left, top, right, base), 0, canvas.uniform(0.8, 1.1), storey
        )
        left, top = right, top + height * canvas.uniform(-0.1, 0.1)
    if canvas.sun:
        edge = width * canvas.uniform(0.2, 0.8)
        far = edge + width * canvas.sun
        canvas.shadow_of(
            [(edge, 0), (far, 0), (far, height), (edge + height * 0.3 * canvas.sun, height)], 0.55
        )
    for _ in range(canvas.count(1, 4)):
        foot = (width * canvas.uniform(0, 1), base + height * canvas.uniform(-0.03, 0.15))
        _thing(canvas, foot, height * canvas.uniform(0.25, 0.5), height * 0.7)
    _lamps_at_night(canvas, base)
    if canvas.chance(0.5):
        start = width * canvas.uniform(-0.2, 0.6)
        tall = height * canvas.uniform(0.12, 0.4)
        foliage.hedge(
            canvas,
            start,
            start + width * canvas.uniform(0.3, 0.8),
            height * 1.02,
            tall,
            canvas.pick(plant_colours(canvas)),
        )
    close_by(canvas)
    return base
