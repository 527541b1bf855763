"""Scenes of open land: meadows, woods and lakes, and what other scenes share with them."""

from __future__ import annotations

from . import foliage, objects, scenery, streets
from .canvas import Canvas, Colour, Lamp, Paint, mixed, scaled
from .foliage import AUTUMN, DRY, GREENS
from .patterns import TextureName
from .scenery import GREYS


def plant_colours(canvas: Canvas) -> tuple[Colour, ...]:
    """Return the colours of plants in this season."""
    season = canvas.uniform(0, 1)
    return AUTUMN + GREENS[:2] if season < 0.1 else DRY[:2] + GREENS if season < 0.25 else GREENS


def meadow(canvas: Canvas, horizon: float) -> Colour:
    """Cover the ground with grass, dry grass, gravel or paving; return its colour."""
    kind = canvas.uniform(0, 1)
    name: TextureName = 'grass'
    colour = canvas.pick(GREENS if kind < 0.55 else DRY)
    if kind > 0.8:
        name, colour = (
            ('stones', canvas.pick(GREYS)) if kind < 0.88 else ('tiles', canvas.pick(GREYS))
        )
    bright = 1.35 if name in ('grass', 'stones') else 1.0
    contrast = canvas.uniform(0.5, 1.0) if name != 'tiles' else 0.5
    scenery.ground(
        canvas, horizon, Paint(scaled(colour, bright), name, contrast, canvas.level(1.3))
    )
    return colour


def distance(canvas: Canvas, horizon: float) -> None:
    """Draw what stands at the horizon: hills, woods or a town, or nothing."""
    width, unit = canvas.size[1], canvas.unit
    if canvas.chance(0.45):
        scenery.hills(canvas, horizon, canvas.count(1, 3), plant_colours(canvas))
    if canvas.chance(0.3):
        streets.skyline(
            canvas, horizon + 2, unit * canvas.uniform(12, 40), canvas.uniform(0.35, 0.7)
        )
    if canvas.chance(0.75):
        tall, depth = unit * canvas.uniform(6, 22), canvas.uniform(0.15, 0.55)
        foliage.hedge(
            canvas,
            -tall,
            width + tall,
            horizon + unit,
            tall,
            canvas.pick(plant_colours(canvas)),
            depth=depth,
        )


def close_by(canvas: Canvas) -> None:
    """Draw what is close to the camera: twigs from above, grass from below, wires."""
    height, width = canvas.size
    if canvas.chance(0.2):
        x = width * canvas.uniform(-0.1, 1.1)
        discs = [
            (
                x + canvas.uniform(-0.4, 0.4) * height,
                height * canvas.uniform(-0.1, 0.12),
                height * canvas.uniform(0.05, 0.12),
            )
            for _ in range(10)
        ]
        for _ in range(4):
            end = (x + canvas.uniform(-0.5, 0.5) * height, height * canvas.uniform(0.05, 0.3))
            foliage.branch(canvas, (x, -9), end, canvas.unit * 2.5, (46, 40, 36), forks=2)
        foliage.foliage(canvas, discs, canvas.pick(GREENS), level=canvas.level(1.0), dense=0.8)
    if canvas.chance(0.15):
        objects.wires(canvas, canvas.count(2, 6))
    if canvas.chance(0.15):
        foliage.blades(
            canvas, height, height * canvas.uniform(0.1, 0.25), canvas.pick(GREENS + DRY), 120
        )


def country(canvas: Canvas) -> float:
    """Draw meadows, hills and single trees."""
    height, width = canvas.size
    horizon = height * canvas.uniform(0.3, 0.65)
    scenery.sky(canvas, horizon)
    distance(canvas, horizon)
    colour = meadow(canvas, horizon)
    for depth in sorted(canvas.uniform(0.05, 0.8) for _ in range(canvas.count(2, 7))):
        foot = (width * canvas.uniform(-0.05, 1.05), horizon + (height - horizon) * depth)
        tall, air = height * (0.1 + depth) * canvas.uniform(0.5, 1.1), 0.4 * max(0.0, 1 - 2 * depth)
        foliage.tree_shadow(canvas, foot, tall, horizon)
        if canvas.chance(0.18):
            foliage.bare_tree(canvas, foot, tall, depth=air)
        elif canvas.chance(0.3):
            wide = tall * canvas.uniform(0.4, 1.4)
            foliage.hedge(
                canvas,
                foot[0] - wide,
                foot[0] + wide,
                foot[1],
                tall * 0.4,
                canvas.pick(plant_colours(canvas)),
                depth=air,
            )
        else:
            foliage.tree(canvas, foot, tall, canvas.pick(plant_colours(canvas)), depth=air)
    if canvas.chance(0.4):
        base, tone = (
            horizon + (height - horizon) * canvas.uniform(0.3, 0.9),
            canvas.pick(((110, 90, 70), (210, 206, 196))),
        )
        tall = height * canvas.uniform(0.06, 0.16)
        objects.railing(
            canvas,
            (-9, base),
            (width + 9, base + height * canvas.uniform(-0.1, 0.1)),
            (tall, tall * canvas.uniform(0.6, 1.6)),
            tone,
        )
    if canvas.chance(0.5):
        foliage.blades(canvas, height, height * canvas.uniform(0.08, 0.3), scaled(colour, 1.1), 160)
    return 0


def forest(canvas: Canvas) -> float:
    """Draw trunks before leaves, with gaps of sky."""
    height = canvas.size[0]
    horizon = height * canvas.uniform(0.5, 0.75)
    scenery.sky(canvas, horizon)
    palette = plant_colours(canvas)
    colour = canvas.pick(palette)
    canvas.haze = mixed(canvas.haze, colour, 0.5)
    name: TextureName = 'leaves' if canvas.chance(0.5) else 'grass'
    scenery.ground(
        canvas,
        horizon,
        Paint(scaled(canvas.pick(GREENS + DRY), 1.25), name, 1.0, canvas.level(0.8)),
        0.4,
    )
    for layer in range(canvas.count(3, 5)):
        foot = horizon + (height - horizon) * 0.18 * layer
        _wood(canvas, foot, palette, 0.3 + 0.2 * layer, max(0.0, 0.5 - 0.12 * layer))
    close_by(canvas)
    return 0


def _wood(
    canvas: Canvas, foot: float, palette: tuple[Colour, ...], scale: float, depth: float
) -> None:
    """Draw trunks that stand on one line, with leaves and bushes before them."""
    height, width = canvas.size
    for _ in range(canvas.count(2, 5)):
        x, base = width * canvas.uniform(0, 1), foot + height * canvas.uniform(-0.02, 0.04)
        thick = height * 0.06 * (scale - 0.15) * canvas.uniform(0.6, 1.8)
        bark = canvas.far(canvas.pick(((74, 62, 52), (100, 92, 82), (50, 44, 40))), depth)
        top, thin = x + height * canvas.uniform(-0.1, 0.1), thick * 0.6
        trunk = [(x - thick, base), (top - thin, -9), (top + thin, -9), (x + thick, base)]
        canvas.texture(trunk, Paint(bark, 'bark', 0.7, canvas.level(scale)))
    left, tall = width * canvas.uniform(-0.3, 0.6), height * canvas.uniform(0.25, 0.6)
    right, base = left + width * canvas.uniform(0.4, 1), height * canvas.uniform(0.25, 0.75)
    foliage.hedge(canvas, left, right, base, tall, canvas.pick(palette), depth=depth)
    tall, edge = height * canvas.uniform(0.05, 0.15), width * 0.1
    colour = canvas.pick(palette)
    foliage.hedge(canvas, -edge, width + edge, foot + height * 0.03, tall, colour, depth=depth)


def lake(canvas: Canvas) -> float:
    """Draw water that mirrors its other shore."""
    height, width = canvas.size
    horizon = height * canvas.uniform(0.3, 0.6)
    scenery.sky(canvas, horizon)
    distance(canvas, horizon)
    for _ in range(canvas.count(0, 4)):
        foot = (width * canvas.uniform(0, 1), horizon + 2)
        foliage.tree(
            canvas,
            foot,
            height * canvas.uniform(0.08, 0.3),
            canvas.pick(plant_colours(canvas)),
            depth=0.2,
        )
    if canvas.shine is not None:
        streets.skyline(canvas, horizon + 2, height * canvas.uniform(0.1, 0.4), 0.2)
        for _ in range(canvas.count(4, 16)):
            place = (width * canvas.uniform(0, 1), horizon - height * canvas.uniform(0.005, 0.06))
            canvas.lamps.append(
                Lamp(place, canvas.unit * canvas.uniform(0.5, 1.5), canvas.pick(streets.LIT), 2)
            )
    seas: tuple[Colour, ...] = (
        (70, 96, 100),
        (60, 86, 120),
        (104, 110, 96),
        (60, 120, 120),
        (130, 140, 150),
    )
    scenery.water(canvas, horizon, height, canvas.pick(seas))
    _shore(canvas)
    return horizon


def _shore(canvas: Canvas) -> None:
    """Draw the near shore of a lake, perhaps with a railing."""
    height, width = canvas.size
    if canvas.chance(0.6):
        shore = scenery.ridge(canvas, height * 1.02, height * canvas.uniform(0.1, 0.4), 3)
        name: TextureName = 'stones' if canvas.chance(0.5) else 'grass'
        canvas.texture(
            shore, Paint(scaled(canvas.pick(GREYS + DRY + GREENS), 1.2), name, 0.9, canvas.level(1))
        )
    if canvas.chance(0.4):
        tall = height * canvas.uniform(0.1, 0.3)
        objects.railing(
            canvas,
            (-9, height * 1.02),
            (width + 9, height * canvas.uniform(0.8, 1.05)),
            (tall, tall * canvas.uniform(0.5, 1.4)),
            canvas.pick(((60, 62, 64), (220, 220, 216))),
        )
