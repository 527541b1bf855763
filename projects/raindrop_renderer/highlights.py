"""Bright points seen through tiny drops out of focus: discs and polygons with sharp rims.

A drop that is much smaller than the blur images a lamp, or the sun, as the lens opening. Its light is that
of the lamp, so the disc may be far brighter than the scene, while the drop itself hides little of it. The
discs are added at full resolution, since their rims are sharp; the rim is brighter than the middle, as
spherical aberration and the drop's own edge make it, and water makes the middle uneven.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .exact import Floats, smooth_field, whole
from .moving_water import MovingWater
from .parameters import RaindropParameters

#: Different discs of an image.
_VARIANTS = 8

_LARGEST_COUNT = 5000

#: Discs have this share of the blur's radius, from smallest to largest.
_RADII = (0.85, 1.1)

#: Width of the bright rim, as a share of the radius, and of the antialiased outline in pixels.
_RIM = 0.12
_OUTLINE = 1.2

#: Distance between the red and the blue disc, as a share of the radius.
_FRINGE = 0.06


class _Disc(NamedTuple):
    """One image of the lens opening."""

    covered: Floats
    """Share of each pixel within the outline, (n, n), 0 to 1."""
    light: Floats
    """Relative radiance, (n, n, 3), about 1 inside."""


class Highlights:
    """The bright discs of one image, ready to be added to parts of it.

    Args:
        parameters: Number, level, rim, texture and warmth of the highlights, blades, and seed.
        size: (height, width) of the image in pixels.
        frame: Width in pixels of the whole frame, to which the number refers.
        radius: Radius of the blur in pixels.
        water: What the drops do and when.
    """

    def __init__(
        self,
        parameters: RaindropParameters,
        size: tuple[int, int],
        frame: float,
        radius: float,
        water: MovingWater,
    ) -> None:
        p = parameters
        random = np.random.default_rng([p.seed, 11])
        wanted = p.highlights * size[0] * size[1] / (frame**2 / 1.5)
        count = min(int(wanted + random.random()), _LARGEST_COUNT)
        self.down, self.across = (
            np.floor(np.round(random.random(count) * side, 6)).astype(int) for side in size
        )
        self.shown = water.shown(self.down, self.across, size, p.seed)
        level = p.highlight_level * np.exp(0.9 * random.standard_normal(count))
        self.radiance = whole(np.minimum(level, 16) * 65025).astype(np.float32)
        # A drop sends about as much light as it hides, or more.
        hidden = np.minimum(random.uniform(0.05, 0.6, count), level)
        self.hidden = (whole(hidden * 64) / 64).astype(np.float32)
        self.variant = random.integers(0, _VARIANTS, count)
        self.discs = [_disc(random, radius, p) for _ in range(_VARIANTS)] if count else []
        self.reach = max((len(disc.covered) // 2 for disc in self.discs), default=0)

    def add(self, full: Floats, alpha: Floats, top: int, left: int) -> None:
        """Add the discs to a part of the image, in place.

        Args:
            full: Linear light (h, w, 3), white at 65025.
            alpha: Share of the light that comes from drops, (h, w).
            top: The image's row at which the part begins.
            left: The image's column at which the part begins.
        """
        height, width = alpha.shape
        near = (
            self.shown
            & (self.down > top - self.reach - 1)
            & (self.down < top + height + self.reach + 1)
        )
        near &= (self.across > left - self.reach - 1) & (
            self.across < left + width + self.reach + 1
        )
        for number in np.flatnonzero(near).tolist():
            disc = self.discs[self.variant[number]]
            half = len(disc.covered) // 2
            down, across = (
                int(self.down[number]) - half - top,
                int(self.across[number]) - half - left,
            )
            rows, columns = (
                _overlap(down, 2 * half + 1, height),
                _overlap(across, 2 * half + 1, width),
            )
            if rows is None or columns is None:
                continue
            inside, part = (rows[0], columns[0]), (rows[1], columns[1])
            covered, radiance = disc.covered[part], self.radiance[number]
            kept = 1 - self.hidden[number] * covered
            light = full[inside]
            light *= kept[..., None]
            light += disc.light[part] * radiance
            # What is as bright as white counts as half a drop, however little it hides.
            share = max(self.hidden[number], radiance / (radiance + np.float32(65025)))
            shade = alpha[inside]
            shade += (1 - shade) * (share * covered)


def _overlap(first: int, size: int, limit: int) -> tuple[slice, slice] | None:
    """Return where a span lies within 0 to `limit`, and which part of the span that is."""
    start, stop = max(first, 0), min(first + size, limit)
    if start >= stop:
        return None
    return slice(start, stop), slice(start - first, stop - first)


def _disc(random: np.random.Generator, blur: float, p: RaindropParameters) -> _Disc:
    """Render the image of the lens opening through one drop."""
    radius = max(blur * random.uniform(*_RADII), 1.0)
    stretch = np.exp(np.clip(random.normal(0, 0.07), -0.2, 0.2))
    turn = np.radians(p.blade_angle + random.normal(0, 4))
    half = int(np.ceil(radius * 1.25 + 2))
    places = np.arange(-half, half + 1).astype(np.float64)
    fringe = _FRINGE * radius * random.uniform(0, 1)
    way = random.uniform(0, 2 * np.pi)
    spread = smooth_field(random.random((9, 9)), *[np.linspace(0, 1, len(places))] * 2)
    texture = 1 + p.highlight_texture * np.clip(4 * (spread - 0.5), -1, 1)
    warmth = p.highlight_warmth / 2
    covered, light = np.zeros((len(places),) * 2), []
    for shift, tint in zip((1, 0, -1), (1 + warmth, 1.0, 1 - warmth), strict=True):
        across = (places - shift * fringe * np.cos(way)) / stretch
        down = (places - shift * fringe * np.sin(way)) * stretch
        inside = _depth(across[None, :], down[:, None], radius, p.blades, turn)
        share = np.clip(inside / _OUTLINE + 0.5, 0, 1)
        rim = np.exp(-((inside / (_RIM * radius + 0.6)) ** 2))
        light.append(tint * share * (texture + p.highlight_rim * rim))
        covered += share / 3
    exact = [whole(part * 256) / 256 for part in (covered, np.dstack(light))]
    return _Disc(exact[0].astype(np.float32), np.maximum(exact[1], 0).astype(np.float32))


def _depth(
    across: NDArray[np.float64], down: NDArray[np.float64], radius: float, blades: int, turn: float
) -> NDArray[np.float64]:
    """Return how far points lie within the outline of the lens opening, in pixels; negative outside."""
    if blades == 0:
        return radius - np.hypot(across, down)
    turns = turn + 2 * np.pi / blades * np.arange(blades)
    reach = radius * np.cos(np.pi / blades)
    outward = [np.cos(angle) * across + np.sin(angle) * down for angle in turns]
    return np.asarray(reach - np.max(outward, axis=0))
