"""The canvas on which scenes are drawn, and its brushes: shapes, textures, shade, lamps.

All of it works on whole numbers, or on single exact operations, so that equal random numbers give
equal bytes on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .patterns import Pixels, Random, TextureName
from .textures import cut

Floats = NDArray[np.float32]
Colour: TypeAlias = tuple[float, float, float]
Point: TypeAlias = tuple[float, float]
Box: TypeAlias = tuple[slice, slice]

#: OpenCV draws with coordinates in 1/16 of a pixel here.
_SHIFT = 4

#: No coordinate is farther than this from the canvas, pixels; polygons of 16 bits overflow beyond.
_FAR = 16000


class Paint(NamedTuple):
    """A colour with a texture."""

    colour: Colour
    """RGB, 0 to 255."""
    texture: TextureName
    contrast: float = 0.5
    """How strong the texture is; 0 is flat."""
    level: int = 0
    """How often the texture is halved: more for what is far away."""


class Lamp(NamedTuple):
    """A small source of light, added at the end."""

    place: Point
    """x and y in pixels of the canvas."""
    radius: float
    """Radius of the disc in pixels of the canvas."""
    colour: Colour
    """RGB, 0 to 255 and more."""
    halo: float = 1.0
    """Strength of the glow around it."""


@dataclass
class Canvas:
    """An image that is being drawn, at twice its final size."""

    pixels: Pixels
    """RGB (H, W, 3), uint8: the colours of things in even light."""
    random: Random
    unit: float
    """Pixels per unit of length; a scene is 160 units high."""
    shine: Pixels | None = None
    """By night RGB (H, W, 4), uint8: what shines by itself, and 255 where there is bare ground."""
    sun: int = 0
    """Where the sun is: -1 left, 1 right, 0 behind clouds."""
    haze: Colour = (190, 200, 210)
    """Colour of the air far away."""
    lamps: list[Lamp] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def uniform(self, low: float, high: float) -> float:
        """Return a random number from low to high."""
        return low + (high - low) * float(self.random.random())

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.random.random() < probability)

    def count(self, low: int, high: int) -> int:
        """Return a random whole number from low to high, both included."""
        return int(self.random.integers(low, high + 1))

    def pick(self, palette: Sequence[Colour], spread: float = 0.18) -> Colour:
        """Return one colour of a palette, a little darker or brighter."""
        return scaled(
            palette[self.count(0, len(palette) - 1)], self.uniform(1 - spread, 1 + spread)
        )

    def far(self, colour: Colour, depth: float) -> Colour:
        """Return a colour mixed with the air's: nothing at depth 0, all of it at 1."""
        return mixed(colour, self.haze, depth)

    def level(self, scale: float) -> int:
        """Return how often textures are halved at this scale; 1 is close to the camera."""
        size, level = self.unit * scale / 5, 0
        while size < 0.75 and level < 4:
            size, level = size * 2, level + 1
        return level

    def inside(self, left: float, top: float, right: float, bottom: float) -> Box | None:
        """Return a box cut to the canvas, or None if nothing of it is left."""
        height, width = self.size
        x, across = max(0, int(left)), min(width, int(right) + 1)
        y, down = max(0, int(top)), min(height, int(bottom) + 1)
        return (slice(y, down), slice(x, across)) if x < across and y < down else None

    def fill(self, corners: ArrayLike, colour: Colour, shine: Colour = (0, 0, 0)) -> None:
        """Fill a polygon with corners (n, 2) as (x, y) in pixels, and what it shines at night."""
        points = [_fixed(corners)]
        cv2.fillPoly(self.pixels, points, _bytes(colour), cv2.LINE_8, _SHIFT)
        if self.shine is not None:
            cv2.fillPoly(self.shine, points, (*_bytes(shine), 0), cv2.LINE_8, _SHIFT)

    def texture(self, corners: ArrayLike, paint: Paint, shade: Sequence[float] = (1, 1)) -> None:
        """Fill a polygon with a texture, brighter or darker from its top to its bottom.

        Args:
            corners: Corners (n, 2) as (x, y) in pixels.
            paint: What to fill with.
            shade: What the paint is multiplied with at the top and at the bottom of the polygon.
        """
        points = np.clip(np.asarray(corners, np.float64), -_FAR, _FAR)
        low, high = points.min(axis=0), points.max(axis=0)
        box = self.inside(low[0] - 1, low[1] - 1, high[0] + 1, high[1] + 1)
        if box is None:
            return
        filling = self.filling(box, paint)
        if shade[0] != 1 or shade[1] != 1:
            rows = np.arange(box[0].start, box[0].stop) - low[1]
            share = np.clip(rows / max(1.0, float(high[1] - low[1])), 0, 1)
            values = np.rint(128 * (shade[0] + (shade[1] - shade[0]) * share))
            filling = shaded(filling, np.clip(values, 0, 255).astype(np.uint8)[:, None])
        self.lay(box, filling, self.mask(box, points))

    def filling(self, box: Box, paint: Paint) -> Pixels:
        """Return paint (h, w, 3) for a box."""
        size = box[0].stop - box[0].start, box[1].stop - box[1].start
        return tinted(cut(self.random, paint.texture, paint.level, size)[..., :3], paint)

    def mask(self, box: Box, corners: ArrayLike) -> Pixels:
        """Return the mask (h, w), 0 or 255, of a polygon in a box."""
        mask = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), np.uint8)
        moved = np.asarray(corners, np.float64) - (box[1].start, box[0].start)
        cv2.fillPoly(mask, [_fixed(moved)], 255, cv2.LINE_8, _SHIFT)
        return mask

    def lay(self, box: Box, paint: Pixels, mask: Pixels) -> None:
        """Lay paint (h, w, 3) over a box where its mask (h, w) is not 0."""
        cv2.copyTo(paint, mask, self.pixels[box])
        if self.shine is not None:
            self.shine[box][mask > 0] = 0

    def pave(self, corners: ArrayLike) -> None:
        """Note that there is bare ground, which mirrors lights when it is wet."""
        if self.shine is not None:
            cv2.fillPoly(self.shine, [_fixed(corners)], (0, 0, 0, 255), cv2.LINE_8, _SHIFT)

    def shadow(self, box: Box, strength: Pixels) -> None:
        """Multiply a box with values (h, w), 128 for one; what shines keeps its light."""
        self.pixels[box] = shaded(self.pixels[box], strength)

    def shadow_of(self, corners: ArrayLike, factor: float) -> None:
        """Darken a polygon."""
        points = np.clip(np.asarray(corners, np.float64), -_FAR, _FAR)
        low, high = points.min(axis=0), points.max(axis=0)
        box = self.inside(low[0] - 1, low[1] - 1, high[0] + 1, high[1] + 1)
        if box is not None:
            dark = np.where(self.mask(box, points) > 0, round(128 * factor), 128)
            self.shadow(box, dark.astype(np.uint8))

    def line(
        self, points: Sequence[Point], thickness: float, colour: Colour, end: float | None = None
    ) -> None:
        """Draw straight pieces through points; the thickness may change to that of the end."""
        last = thickness if end is None else end
        for number in range(len(points) - 1):
            (x, y), (to_x, to_y) = points[number], points[number + 1]
            length = max(1e-6, math.sqrt((to_x - x) ** 2 + (to_y - y) ** 2))
            across, down = (y - to_y) / length / 2, (to_x - x) / length / 2
            one = thickness + (last - thickness) * number / (len(points) - 1)
            two = thickness + (last - thickness) * (number + 1) / (len(points) - 1)
            self.fill(
                [
                    (x + across * one, y + down * one),
                    (to_x + across * two, to_y + down * two),
                    (to_x - across * two, to_y - down * two),
                    (x - across * one, y - down * one),
                ],
                colour,
            )

    def soften(self, radius: int) -> None:
        """Blur all that is drawn so far, as a lens that is focused nearer does."""
        for anchor in (0, 1):
            for image in (self.pixels, self.shine):
                if image is not None:
                    blur_even(image, radius, anchor)


def blur_even(image: Pixels, radius: int, anchor: int) -> None:
    """Average windows of 2 * radius pixels a side, in place; anchors 0 and 1 in turn are centred."""
    side, place = 2 * radius, radius - anchor
    sums = cv2.boxFilter(
        image,
        cv2.CV_32S,
        (side, side),
        anchor=(place, place),
        normalize=False,
        borderType=cv2.BORDER_REPLICATE,
    )
    image[:] = (sums + side * radius) // (side * side)


def scaled(colour: Colour, factor: float) -> Colour:
    """Return a colour brighter or darker by a factor."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def mixed(one: Colour, two: Colour, share: float) -> Colour:
    """Return the mixture of two colours, with this share of the second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, two, strict=True))
    return red, green, blue


def tinted(brightness: Pixels, paint: Paint) -> Pixels:
    """Return a piece of texture (h, w, 3) in a paint's colour."""
    steps = 1 + (np.arange(256)[:, None] - 128) * (paint.contrast / 128)
    table = np.clip(np.rint(steps * np.array(paint.colour, np.float64)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(brightness), table[None]))


def shaded(paint: Pixels, factors: Pixels) -> Pixels:
    """Multiply paint (h, w, 3) with factors (h, w) or (h, 1), 128 for one."""
    height, width = paint.shape[:2]
    three = np.broadcast_to(factors[..., None], (height, width, 3))
    return np.asarray(cv2.multiply(paint, np.ascontiguousarray(three), scale=1 / 128))


def rectangle(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    """Return the corners (4, 2) of an upright rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)


def _fixed(corners: ArrayLike) -> NDArray[np.int32]:
    """Return corners in OpenCV's fixed-point numbers."""
    points = np.clip(np.asarray(corners, np.float64), -_FAR, _FAR)
    return np.asarray(np.rint(points * 2**_SHIFT).astype(np.int32))


def _bytes(colour: Colour) -> tuple[int, int, int]:
    """Return a colour as whole numbers from 0 to 255."""
    red, green, blue = (min(255, max(0, round(value))) for value in colour)
    return red, green, blue
