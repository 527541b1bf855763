"""From a drawn canvas to a photo of it: light, exposure, tone, glow of lamps, sharpness, grain."""

from __future__ import annotations

from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Colour, Floats, Lamp, blur_even
from .patterns import Pixels
from .textures import smooth_noise

Doubles = NDArray[np.float64]

Lighting = Literal['day', 'night']

LIGHTINGS: tuple[Lighting, ...] = get_args(Lighting)

#: How much larger than the photo a canvas is, so that edges are smooth.
OVERSAMPLING = 2

#: Steps per grey level before the tone curve.
_STEPS = 16

#: The light on a scene is worked out on an image of this fraction of the size.
_COARSE = 8

#: Where a lamp's halo ends, in radii of the lamp.
_HALO = 40

#: RGB weights of luminance over 256 (Rec. 601).
_LUMINANCE = (77, 150, 29)


def develop(canvas: Canvas, size: tuple[int, int], lighting: Lighting, wet: float) -> Pixels:
    """Take the photo.

    Args:
        canvas: What is drawn, at twice the size.
        size: (height, width) of the photo.
        lighting: 'day' or 'night'.
        wet: Row of the canvas below which the ground mirrors lights at night; 0 for dry ground.

    Returns:
        RGB image (H, W, 3), uint8.
    """
    image = _smaller(canvas.pixels, size)
    if lighting == 'night':
        image *= _lamp_light(canvas, size)
        image += _shining(canvas, size)
        for lamp in canvas.lamps:
            _glow(image, lamp)
        if wet:
            _mirror(canvas, image, int(wet) // OVERSAMPLING)
    else:
        image *= _daylight(canvas, size)[..., None]
    image = _tone(canvas, image, lighting)
    image = _sharpness(canvas, image)
    image += _grain(canvas, image, lighting)
    np.rint(image, out=image)
    return np.clip(image, 0, 255, out=image).astype(np.uint8)


def _smaller(image: Pixels, size: tuple[int, int]) -> Floats:
    """Average 2x2 pixels; the sums are exact."""
    wide = image.astype(np.uint16)
    wide *= _STEPS
    small = cv2.resize(wide, size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / np.float32(_STEPS))


def _coarse(size: tuple[int, int]) -> tuple[Doubles, Doubles]:
    """Return rows (h, 1) and columns (1, w) of a coarse grid, in pixels of the canvas."""
    height, width = (max(2, -(-side // _COARSE)) for side in size)
    rows: Doubles = (np.arange(height, dtype=np.float64) + 0.5) * (size[0] * OVERSAMPLING / height)
    columns: Doubles = (np.arange(width, dtype=np.float64) + 0.5) * (size[1] * OVERSAMPLING / width)
    return rows.reshape(-1, 1), columns.reshape(1, -1)


def _fine(light: Doubles, size: tuple[int, int]) -> Floats:
    """Enlarge coarse light, 0 to 16, to the size of the photo."""
    whole = np.clip(np.rint(light * 1024), 0, 65535).astype(np.uint16)
    large = cv2.resize(whole, size[::-1], interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(large.astype(np.float32) / np.float32(1024))


def _daylight(canvas: Canvas, size: tuple[int, int]) -> Floats:
    """Return the light (H, W) by day: shadows of clouds, and less light in the corners."""
    rows, columns = _coarse(size)
    height, width = canvas.size
    away = ((rows - height / 2) ** 2 + (columns - width / 2) ** 2) / (height**2 + width**2) * 4
    light = 1 - canvas.uniform(0, 0.22) * away
    if canvas.sun and canvas.chance(0.4):
        shape = smooth_noise(canvas.random, light.shape, 2, 3, stretch=2.0)
        light = light * (1 - canvas.uniform(0.1, 0.35) * np.clip((shape - 110.0) / 60, 0, 1))
    return _fine(light, size)


def _lamp_light(canvas: Canvas, size: tuple[int, int]) -> Floats:
    """Return the light (H, W, 3) by night: little from the sky, more around and below lamps."""
    rows, columns = _coarse(size)
    height = canvas.size[0]
    night: tuple[Colour, ...] = (
        (0.8, 0.9, 1.2),
        (1.2, 0.95, 0.75),
        (1.0, 1.0, 1.1),
        (0.7, 0.85, 1.3),
    )
    ambient = np.array(canvas.pick(night, 0.1)) * canvas.uniform(0.1, 0.42)
    light = np.broadcast_to(ambient, (*np.broadcast(rows, columns).shape, 3)).copy()
    for lamp in canvas.lamps:
        (x, y), reach = lamp.place, 9 * lamp.radius * (1 + lamp.halo)
        apart = ((columns - x) ** 2 + (rows - y - reach) ** 2) / (reach * reach)
        strength = 0.7 * min(1.0, 0.3 + 12 * lamp.radius / height)
        light += (strength / (1 + apart * apart + apart))[..., None] * (np.array(lamp.colour) / 255)
    return _fine(np.minimum(light, 1.5), size)


def _shining(canvas: Canvas, size: tuple[int, int]) -> Floats:
    """Return what windows and signs shine, with a glow around them."""
    if canvas.shine is None:
        return np.zeros((*size, 3), np.float32)
    shine = _smaller(canvas.shine, size)[..., :3]
    glow = canvas.shine[:: 2 * OVERSAMPLING, :: 2 * OVERSAMPLING, :3].copy()
    for anchor in (0, 1):
        blur_even(glow, max(1, round(canvas.unit * 1.5 / (2 * OVERSAMPLING))), anchor)
    wide = cv2.resize(glow, size[::-1], interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(
        shine * np.float32(canvas.uniform(0.7, 1.2)) + wide.astype(np.float32) * np.float32(0.3)
    )


def _glow(image: Floats, lamp: Lamp) -> None:
    """Add a lamp: a disc that is clipped to white, and a halo that falls off with the distance."""
    height, width = image.shape[:2]
    x, y = lamp.place[0] / OVERSAMPLING, lamp.place[1] / OVERSAMPLING
    radius = lamp.radius / OVERSAMPLING
    reach = int(_HALO * radius) + 1
    left, right = max(0, int(x) - reach), min(width, int(x) + reach)
    top, bottom = max(0, int(y) - reach), min(height, int(y) + reach)
    if left >= right or top >= bottom:
        return
    across = ((np.arange(left, right) - x) / radius) ** 2
    down = ((np.arange(top, bottom) - y) / radius)[:, None] ** 2
    apart = across + down
    halo = np.clip(
        0.6 * lamp.halo / (1 + apart / 1.5) - 0.6 * lamp.halo / (1 + _HALO**2 / 1.5), 0, 4
    )
    light = np.clip(2.2 - apart, 0, 1) * 5 + halo
    whole = (np.rint(light * 256) / 256).astype(np.float32)
    image[top:bottom, left:right] += whole[..., None] * np.array(lamp.colour, np.float32)


def _mirror(canvas: Canvas, image: Floats, start: int) -> None:
    """Add what wet ground mirrors, drawn out downwards by its roughness."""
    height, width = image.shape[:2]
    rows = np.arange(max(1, start), height)
    if not len(rows) or canvas.shine is None:
        return
    source = np.clip(2 * start - rows, 0, height - 1)
    light = np.rint(np.minimum(image[source], 510))
    window = 2 ** max(1, round(canvas.unit * 2).bit_length())
    drawn = cv2.blur(light, (1, min(64, window)), borderType=cv2.BORDER_REPLICATE)
    ripples = smooth_noise(canvas.random, (len(rows), width), 5, 5, stretch=0.6, falloff=0.9)
    bare = canvas.shine[rows[0] * OVERSAMPLING :: OVERSAMPLING, ::OVERSAMPLING, 3] > 0
    share = np.where(bare, ripples, 0).astype(np.float32)
    share *= np.float32(canvas.uniform(0.4, 1.1) / 256)
    image[rows[0] :] += share[..., None] * drawn


def _tone(canvas: Canvas, image: Floats, lighting: Lighting) -> Floats:
    """Apply exposure, colour cast, contrast and saturation."""
    gain = canvas.uniform(0.84, 1.25) if lighting == 'day' else canvas.uniform(1.0, 1.7)
    black = canvas.uniform(-6, 26) if lighting == 'day' else canvas.uniform(-3, 4)
    contrast, warm = canvas.uniform(0.0, 0.7), canvas.uniform(-0.07, 0.07)
    tint = canvas.uniform(-0.025, 0.025)
    level = np.arange(640 * _STEPS) / _STEPS
    index = np.rint(image * np.float32(_STEPS))
    whole = np.minimum(index, np.float32(len(level) - 1)).astype(np.uint16)
    result = np.empty_like(image)
    for channel, cast in enumerate((1 + warm, 1 + tint, 1 - warm)):
        share = np.clip((level * (gain * cast) - black) / (255 - black), 0, 1)
        curve = share + contrast * (share * share * (3 - 2 * share) - share)
        table = (np.rint(curve * (255 * _STEPS)) / _STEPS).astype(np.float32)
        result[..., channel] = table[whole[..., channel]]
    grey = sum(
        (result[..., channel] * np.float32(part / 256) for channel, part in enumerate(_LUMINANCE)),
        start=np.zeros(result.shape[:2], np.float32),
    )[..., None]
    chroma = result - grey
    if canvas.chance(0.5):  # as files with colour at half the resolution have
        chroma = cv2.blur(np.rint(chroma), (2, 2), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(grey + np.float32(canvas.uniform(0.6, 1.35)) * chroma)


def _sharpness(canvas: Canvas, image: Floats) -> Floats:
    """Soften a little, or sharpen as cameras do."""
    strength = np.float32(round(canvas.uniform(-0.75, 0.3) * 64) / 64)
    whole = np.clip(np.rint(image), -64, 320)
    kernel = np.array([1, 2, 1], np.float32) / 4
    soft = cv2.sepFilter2D(whole, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(image + strength * (whole - soft), 0, 255))


def _grain(canvas: Canvas, image: Floats, lighting: Lighting) -> Floats:
    """Return the noise of a camera, stronger where it is brighter, and stronger by night."""
    strength = canvas.uniform(0.3, 2.0) if lighting == 'day' else canvas.uniform(1.0, 3.0)
    height, width = image.shape[:2]
    single = _bell(canvas, (height, width, 3), 2) * np.float32(0.5)
    single += _bell(canvas, (height, width, 1), 4)
    single *= np.float32(strength) * (np.float32(0.5) + image * np.float32(1 / 255))
    return np.asarray(single)


def _bell(canvas: Canvas, shape: tuple[int, ...], number: int) -> Floats:
    """Return about normal numbers with deviation 1: sums of bytes."""
    total = np.zeros(shape, np.float32)
    for _ in range(number):
        total += np.frombuffer(canvas.random.bytes(total.size), np.uint8).reshape(shape)
    scale = np.float32(1 / (73.9 * number**0.5))
    return np.asarray((total - np.float32(127.5 * number)) * scale)
