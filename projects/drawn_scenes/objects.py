"""What stands in the streets of drawn scenes: cars, people, lamps, signs, railings, wires."""

from __future__ import annotations

import math

from .canvas import Canvas, Colour, Lamp, Paint, Point, mixed, rectangle, scaled
from .streets import View

_CARS: tuple[Colour, ...] = (
    (38, 40, 44), (206, 208, 210), (150, 152, 156), (150, 34, 32), (40, 64, 120), (92, 98, 104),
    (226, 226, 222), (72, 80, 70), (190, 150, 50),
)  # fmt: skip
_CLOTHES: tuple[Colour, ...] = (
    (40, 42, 52), (170, 46, 42), (60, 86, 140), (200, 196, 188), (90, 80, 70), (210, 160, 60),
)  # fmt: skip
_SIGNS: tuple[Colour, ...] = (
    (40, 86, 160), (30, 110, 76), (226, 226, 222), (226, 180, 40), (200, 44, 40), (60, 60, 64),
)  # fmt: skip
_WARM: tuple[Colour, ...] = ((255, 214, 150), (255, 186, 96), (255, 244, 220), (220, 236, 255))
_METAL: Colour = (74, 76, 80)
RED: Colour = (255, 44, 30)


def car_from_side(canvas: Canvas, foot: Point, long: float, depth: float = 0.0) -> None:
    """Draw a car that drives across; its wheels touch the ground around the foot."""
    x, y = foot
    way = 1 if canvas.chance(0.5) else -1
    colour = canvas.far(canvas.pick(_CARS), depth)
    tall, roof = long * canvas.uniform(0.32, 0.42), canvas.uniform(0.45, 0.7)

    def place(points: list[Point]) -> list[Point]:
        return [(x + way * (a - 0.5) * long, y - b * tall) for a, b in points]

    contact(canvas, (x, y), long * 0.55, tall * 0.13)
    low = [(0.0, 0.18), (0.0, 0.5), (0.06, 0.58), (0.98, 0.54), (1.0, 0.2)]
    cabin = [(0.04, 0.56), (0.14, 0.96), (0.2, 1.0), (roof, 1.0), (roof + 0.18, 0.58)]
    canvas.fill(place(cabin), colour)
    canvas.texture(place(low), Paint(colour, 'noise', 0.12, 2), (1.15, 0.6))
    glass = canvas.far(mixed((36, 42, 50), canvas.haze, canvas.uniform(0, 0.4)), depth)
    canvas.fill(place([(0.1, 0.6), (0.18, 0.92), (0.38, 0.94), (0.38, 0.6)]), glass)
    canvas.fill(place([(0.41, 0.6), (0.41, 0.94), (roof - 0.02, 0.94), (roof + 0.13, 0.6)]), glass)
    canvas.line(place([(0.02, 0.55), (0.97, 0.54)]), max(1.0, tall * 0.025), scaled(colour, 1.35))
    canvas.fill(place([(0.0, 0.4), (0.0, 0.52), (0.035, 0.52), (0.035, 0.4)]), (170, 36, 30), RED)
    canvas.fill(
        place([(0.955, 0.36), (0.955, 0.48), (1.0, 0.46), (1.0, 0.36)]),
        (220, 218, 206),
        (255, 250, 230),
    )
    for wheel in (0.2, 0.8):
        (middle_x, middle_y), radius = place([(wheel, 0.2)])[0], tall * 0.21
        disc(canvas, (middle_x, middle_y), radius, canvas.far((24, 24, 26), depth))
        disc(canvas, (middle_x, middle_y), radius * 0.55, canvas.far((128, 130, 134), depth))
        disc(canvas, (middle_x, middle_y), radius * 0.2, canvas.far((60, 60, 64), depth))


def car_along(canvas: Canvas, foot: Point, wide: float, depth: float = 0.0) -> None:
    """Draw a car seen from behind or from the front, with its lights."""
    x, y = foot
    colour = canvas.far(canvas.pick(_CARS), depth)
    tall, coming = wide * canvas.uniform(0.75, 1.0), canvas.chance(0.5)

    def part(
        left: float, top: float, right: float, bottom: float, taper: float = 0.0
    ) -> list[Point]:
        return [
            (x + (left + taper) * wide, y - top * tall), (x + (right - taper) * wide, y - top * tall),
            (x + right * wide, y - bottom * tall), (x + left * wide, y - bottom * tall),
        ]  # fmt: skip

    contact(canvas, (x, y), wide * 0.62, tall * 0.12)
    for side in (-1, 1):
        canvas.fill(
            rectangle(
                x + side * wide * 0.4 - wide * 0.08,
                y - tall * 0.3,
                x + side * wide * 0.4 + wide * 0.08,
                y,
            ),
            (22, 22, 24),
        )
    canvas.fill(part(-0.44, 1.0, 0.44, 0.58, 0.1), colour)
    canvas.texture(part(-0.5, 0.62, 0.5, 0.14), Paint(colour, 'noise', 0.12, 2), (1.15, 0.65))
    glass = canvas.far(mixed((40, 46, 54), canvas.haze, canvas.uniform(0, 0.5)), depth)
    canvas.fill(part(-0.4, 0.94, 0.4, 0.62, 0.08), glass)
    canvas.fill(part(-0.5, 0.24, 0.5, 0.14), scaled(colour, 0.5))
    canvas.fill(part(-0.16, 0.36, 0.16, 0.26), canvas.far((214, 212, 200), depth))
    lamp: Colour = (236, 234, 222) if coming else (176, 34, 28)
    for side in (-1, 1):
        canvas.fill(part(side * 0.4 - 0.09, 0.55, side * 0.4 + 0.09, 0.42), lamp, lamp)
        if canvas.shine is not None:
            light: Colour = (255, 250, 236) if coming else RED
            place = (x + side * 0.4 * wide, y - 0.48 * tall)
            canvas.lamps.append(
                Lamp(place, wide * (0.07 if coming else 0.05), light, 1.0 if coming else 0.5)
            )


def disc(
    canvas: Canvas, place: Point, radius: float, colour: Colour, shine: Colour = (0, 0, 0)
) -> None:
    """Draw a disc."""
    sides = 8 if radius < 4 else 20
    angles = [2 * math.pi * number / sides for number in range(sides)]
    points = [(place[0] + radius * math.cos(a), place[1] + radius * math.sin(a)) for a in angles]
    canvas.fill(points, colour, shine)


def contact(canvas: Canvas, foot: Point, wide: float, high: float) -> None:
    """Darken the ground around the foot of a thing, most in the middle."""
    for size in (1.15, 1.0, 0.85):
        angles = [2 * math.pi * number / 16 for number in range(16)]
        ring = [
            (foot[0] + wide * size * math.cos(a), foot[1] + high * size * math.sin(a))
            for a in angles
        ]
        canvas.shadow_of(ring, 0.72)


def person(canvas: Canvas, foot: Point, tall: float, depth: float = 0.0) -> None:
    """Draw a person who stands or walks."""
    x, y = foot
    top, legs = canvas.far(canvas.pick(_CLOTHES), depth), canvas.far(canvas.pick(_CLOTHES), depth)
    skin = canvas.far(canvas.pick(((226, 180, 150), (150, 104, 78), (90, 62, 48))), depth)
    step, wide = tall * canvas.uniform(0.01, 0.12), tall * 0.11
    contact(canvas, foot, wide * 1.4, tall * 0.025)
    for side in (-1, 1):
        canvas.line(
            [(x + side * wide * 0.3, y - tall * 0.5), (x + side * step, y)],
            tall * 0.09,
            legs,
            tall * 0.05,
        )
        arm = [(x + side * wide, y - tall * 0.78), (x + side * (wide + step), y - tall * 0.45)]
        canvas.line(arm, tall * 0.06, scaled(top, 0.85), tall * 0.04)
    shoulder, hip = wide * 1.1, wide * 0.8
    body = [
        (x - shoulder, y - tall * 0.82),
        (x + shoulder, y - tall * 0.82),
        (x + hip, y - tall * 0.46),
        (x - hip, y - tall * 0.46),
    ]
    canvas.texture(body, Paint(top, 'noise', 0.4, 1), (1.1, 0.8))
    disc(canvas, (x, y - tall * 0.92), tall * 0.07, skin)
    disc(canvas, (x, y - tall * 0.95), tall * 0.06, canvas.far((46, 36, 30), depth))


def street_lamp(canvas: Canvas, foot: Point, tall: float, reach: float, depth: float = 0.0) -> None:
    """Draw a lamp on a pole with an arm; by night it shines."""
    x, y = foot
    colour = canvas.far(canvas.pick((_METAL, (130, 132, 134), (56, 66, 60))), depth)
    head = (x + reach, y - tall)
    thick = max(1.0, tall * 0.014)
    canvas.line([foot, (x, y - tall * 0.93), head], thick * 1.3, colour, thick * 0.7)
    size = max(1.0, tall * 0.022)
    canvas.fill(
        rectangle(
            head[0] - size * 2, head[1] - size * 0.6, head[0] + size * 2, head[1] + size * 0.5
        ),
        colour,
    )
    if canvas.shine is not None:
        canvas.lamps.append(
            Lamp((head[0], head[1] + size), max(1.0, size * 0.8), canvas.pick(_WARM, 0.05), 1.5)
        )


def sign(canvas: Canvas, foot: Point, tall: float, wide: float, depth: float = 0.0) -> None:
    """Draw a board with text on one or two posts."""
    x, y = foot
    high = wide * canvas.uniform(0.35, 1.1)
    post = max(1.0, tall * 0.025)
    for side in (0.0,) if wide < tall * 0.6 else (-0.35, 0.35):
        canvas.line(
            [(x + side * wide, y), (x + side * wide, y - tall)],
            post,
            canvas.far((120, 122, 124), depth),
        )
    colour = canvas.far(canvas.pick(_SIGNS), depth)
    ink: Colour = (236, 236, 230) if sum(colour) < 420 else (40, 40, 44)
    left, top = x - wide / 2, y - tall
    shine = scaled(colour, 0.8) if canvas.chance(0.5) else (0.0, 0.0, 0.0)
    canvas.fill(rectangle(left, top, left + wide, top + high), ink, shine)
    edge = wide * 0.02
    canvas.fill(
        rectangle(left + edge, top + edge, left + wide - edge, top + high - edge), colour, shine
    )
    rows = canvas.count(1, 5)
    for row in range(rows):
        size = high / (rows + 0.5)
        text(
            canvas,
            (left + wide * 0.08, top + size * (row + 0.4)),
            size * 0.62,
            wide * canvas.uniform(0.4, 0.85),
            canvas.far(ink, depth),
        )


def text(canvas: Canvas, start: Point, size: float, wide: float, colour: Colour) -> None:
    """Write a line of made-up letters of strokes."""
    x, stop = start[0], start[0] + wide
    stroke = max(0.8, size * 0.16)
    while x < stop:
        if canvas.chance(0.15):
            x += size * 0.5
            continue
        letter = size * canvas.uniform(0.35, 0.7)
        top, bottom = start[1] + (0 if canvas.chance(0.6) else size * 0.3), start[1] + size
        corners = [
            (x, top),
            (x + letter, top),
            (x + letter, bottom),
            (x, bottom),
            (x, (top + bottom) / 2),
            (x + letter, (top + bottom) / 2),
        ]
        for _ in range(canvas.count(2, 4)):
            one, two = corners[canvas.count(0, 5)], corners[canvas.count(0, 5)]
            if one != two:
                canvas.line([one, two], stroke, colour)
        x += letter + size * 0.22


def railing(
    canvas: Canvas, start: Point, end: Point, tall: tuple[float, float], colour: Colour
) -> None:
    """Draw a railing or fence between two points on the ground, with its height at each."""
    bars, rails = canvas.count(6, 40), canvas.count(2, 4)
    thick = max(0.9, 0.03 * max(tall))
    ratio = (tall[1] + 1e-3) / (tall[0] + 1e-3)
    for bar in range(bars + 1):
        part = bar / bars
        part = part / (part + ratio * (1 - part))  # even steps in depth
        x, y = start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part
        high = tall[0] + (tall[1] - tall[0]) * part
        canvas.line([(x, y), (x, y - high)], max(0.9, thick * high / max(tall)), colour)
    for rail in range(rails):
        up = (rail + 1) / rails
        canvas.line(
            [(start[0], start[1] - tall[0] * up), (end[0], end[1] - tall[1] * up)],
            max(0.9, thick * tall[0] / max(tall)),
            scaled(colour, 1.1),
            max(0.9, thick * tall[1] / max(tall)),
        )


def wires(canvas: Canvas, number: int) -> None:
    """Hang wires across the upper half of the canvas."""
    height, width = canvas.size
    left, right = height * canvas.uniform(0, 0.35), height * canvas.uniform(0, 0.35)
    for _ in range(number):
        left, right = (
            left + height * canvas.uniform(0.01, 0.04),
            right + height * canvas.uniform(0.01, 0.04),
        )
        sag = height * canvas.uniform(0.02, 0.08)
        points = []
        for step in range(13):
            part = step / 12
            points.append(
                (
                    width * (part * 1.04 - 0.02),
                    left + (right - left) * part + 4 * sag * part * (1 - part),
                )
            )
        canvas.line(points, max(0.9, canvas.unit * 0.3), (52, 52, 56))


def guard_rail(canvas: Canvas, view: View, side: float) -> None:
    """Draw a crash barrier along a road."""
    tall = view.half * 0.11
    light = canvas.pick(((176, 178, 178), (150, 146, 138), (196, 194, 186)))
    for step in range(16):
        depth = 1.1 / (1 + 0.45 * step)
        x, y = view.at(side, depth)
        canvas.line(
            [(x, y), (x, y - tall * depth)], max(0.9, tall * 0.12 * depth), scaled(light, 0.5)
        )
    (far_x, far_y), (near_x, near_y) = view.at(side, 0.05), view.at(side, 1.15)
    for up, tone in ((1.05, 1.0), (0.8, 0.7), (0.62, 1.05)):
        canvas.fill([
            (far_x, far_y - tall * 0.05 * up), (near_x, near_y - tall * 1.15 * up),
            (near_x, near_y - tall * 1.15 * (up - 0.22)), (far_x, far_y - tall * 0.05 * (up - 0.22)),
        ], scaled(light, tone))  # fmt: skip
