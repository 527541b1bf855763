"""The ground of drawn scenes: sky, land in perspective, water, hills."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Colour, Paint, Point, blur_even, mixed, rectangle, scaled, tinted
from .patterns import TextureName
from .textures import smooth_noise, texture

GREYS: tuple[Colour, ...] = ((122, 120, 118), (98, 98, 100), (142, 138, 130), (162, 158, 150))

#: Zenith and horizon of skies.
_SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((70, 116, 180), (186, 208, 228)),
    ((52, 94, 160), (150, 186, 218)),
    ((110, 150, 196), (214, 224, 230)),
    ((120, 128, 150), (236, 206, 166)),
    ((150, 164, 180), (222, 224, 224)),
)


def sky(canvas: Canvas, horizon: float) -> None:
    """Fill the canvas down to the horizon: clear, with clouds, grey, or white as overexposed skies are."""
    height, width = canvas.size
    rows = min(height, int(horizon) + 2)
    if rows < 2:
        return
    zenith, low = _SKIES[canvas.count(0, len(_SKIES) - 1)]
    kind = canvas.uniform(0, 1)
    if kind < 0.3:  # white
        zenith, low = mixed((238, 242, 246), zenith, canvas.uniform(0, 0.25)), (252, 252, 252)
    elif kind < 0.48:  # grey
        grey = canvas.uniform(150, 225)
        zenith, low = (grey * 0.92, grey * 0.96, grey), (grey + 18, grey + 20, grey + 20)
    elif canvas.sun == 0:
        zenith = mixed(zenith, low, 0.5)
    canvas.haze = mixed(low, (190, 202, 214), 0.5)
    down = (np.arange(rows) / rows)[:, None]
    column = np.array(zenith) + (np.array(low) - np.array(zenith)) * down
    image = np.broadcast_to(np.rint(np.clip(column, 0, 255))[:, None], (rows, width, 3))
    canvas.pixels[:rows] = image
    if kind >= 0.3:
        _clouds(canvas, rows, low, dark=kind < 0.48)
    if canvas.shine is not None:
        dark = canvas.uniform(0.08, 0.4)
        canvas.haze = scaled(canvas.haze, dark)
        canvas.shadow(
            (slice(0, rows), slice(0, width)), np.full((rows, 1), round(128 * dark), np.uint8)
        )


def _clouds(canvas: Canvas, rows: int, low: Colour, *, dark: bool) -> None:
    """Lay clouds over the sky: white and shaded from below, or dark banks."""
    width = canvas.size[1]
    stretch, cells = canvas.uniform(1.6, 4), canvas.count(2, 5)
    shape = smooth_noise(canvas.random, (rows, width), cells, 7, stretch=stretch, falloff=0.62)
    start, steep = canvas.uniform(90, 190), canvas.uniform(2, 6)
    level = np.arange(256)
    cover = np.clip((level - start) * steep, 0, 235) * (0.6 if dark else 1)
    top = 150.0 if dark else canvas.uniform(225, 262)
    tone = np.clip(top - np.clip(level - start - 30, 0, 255) * canvas.uniform(0.1, 0.6), 0, 255)
    share = np.rint(cover).astype(np.int32)[shape][..., None]
    warm = np.array(mixed((1, 1, 1), scaled(low, 1 / 230), 0.4))
    cloud = np.rint(tone[:, None] * warm).clip(0, 255).astype(np.int32)[shape]
    part = canvas.pixels[:rows].astype(np.int32)
    canvas.pixels[:rows] = part + (cloud - part) * share // 256


def ground(canvas: Canvas, horizon: float, paint: Paint, fade: float = 0.7) -> None:
    """Cover all below the horizon with a texture in perspective, hazy in the distance.

    Args:
        canvas: Where to draw.
        horizon: Its row; it may lie above the canvas.
        paint: Texture and colour close to the camera.
        fade: How much of the colour is lost at the horizon, 0 to 1.
    """
    height, width = canvas.size
    start = max(0, int(horizon))
    deep = height - horizon
    rows = np.arange(start, height)
    depth = deep / (rows + 0.5 - horizon + deep / 400)
    focal = 0.4 * width
    seed_x, seed_y = (int(value) for value in canvas.random.integers(0, 512, 2))
    across = (np.arange(width) - canvas.uniform(0.2, 0.8) * width)[None]
    first = 0
    for step in range(6):
        last = len(rows) if step == 0 else int(np.searchsorted(-depth, -(2.0**step)))
        first = int(np.searchsorted(-depth, -(2.0 ** (step + 1)))) if step < 5 else 0
        if first >= last:
            continue
        tile = texture(paint.texture, min(4, paint.level + step))
        side, part = tile.shape[0], depth[first:last, None]
        scale = 2.0 ** -min(step, 4 - paint.level)
        u = np.floor(across * part * scale).astype(np.int64) + seed_x
        v = np.floor(focal * part * scale).astype(np.int64) + seed_y
        piece = tile[v & (side - 1), u & (side - 1), :3]
        flat = paint._replace(contrast=paint.contrast * (1 - 0.13 * step))
        canvas.pixels[start + first : start + last] = tinted(piece, flat)
    _fade(canvas, start, np.clip((depth - 2) / 30, 0, 1) * fade)
    patches = smooth_noise(canvas.random, (len(rows), width), 4, 4, stretch=3, falloff=0.8)
    canvas.shadow((slice(start, height), slice(0, width)), patches // 4 + 96)
    if paint.texture in ('tiles', 'rough', 'stones'):
        canvas.pave(rectangle(0, start, width, height))


def _fade(canvas: Canvas, start: int, share: np.ndarray) -> None:
    """Mix rows from a start with the colour of the air."""
    rows = int(np.count_nonzero(share > 0.01))
    part = canvas.pixels[start : start + rows].astype(np.int32)
    parts = np.rint(256 * share[:rows]).astype(np.int32)[:, None, None]
    haze = np.rint(np.array(canvas.haze)).astype(np.int32)
    canvas.pixels[start : start + rows] = part + (haze - part) * parts // 256


def water(canvas: Canvas, top: float, bottom: float, colour: Colour) -> None:
    """Cover rows with water that mirrors what is above, broken by waves."""
    height, width = canvas.size
    start, stop = max(1, int(top)), min(height, int(bottom) + 1)
    if start >= stop:
        return
    rows = np.arange(stop - start)
    source = np.clip(start - 1 - rows, 0, start - 1)
    mirrored = canvas.pixels[source]
    for anchor in (0, 1):
        blur_even(mirrored, max(1, round(canvas.unit)), anchor)
    box = (slice(start, stop), slice(0, width))
    waves = canvas.filling(
        box, Paint(colour, 'water', canvas.uniform(0.3, 1.1), canvas.count(0, 2))
    )
    share = round(256 * canvas.uniform(0.25, 0.6))
    both = waves.astype(np.int32) * share + mirrored.astype(np.int32) * (256 - share)
    canvas.pixels[box] = both // 256
    canvas.pave(rectangle(0, start, width, stop))


def ridge(
    canvas: Canvas, base: float, tall: float, cells: int, falloff: float = 0.5
) -> list[Point]:
    """Return the corners of a hilly outline that ends below the canvas."""
    height, width = canvas.size
    count = 160
    noise = smooth_noise(canvas.random, (16, count * 4), cells, 6, falloff=falloff)[8, ::4]
    points = [
        (width * (x / (count - 1) * 1.04 - 0.02), base - tall * int(value) / 255)
        for x, value in enumerate(noise)
    ]
    return [*points, (width + 9, height + 9), (-9, height + 9)]


def hills(canvas: Canvas, horizon: float, layers: int, palette: tuple[Colour, ...]) -> None:
    """Draw layers of hills above the horizon, the farther the hazier."""
    height = canvas.size[0]
    tall = height * canvas.uniform(0.05, 0.3)
    for layer in range(layers):
        depth = 1 - (layer + 1) / (layers + 0.6)
        colour = canvas.far(canvas.pick(palette), 0.25 + 0.6 * depth)
        name: TextureName = 'leaves' if canvas.chance(0.5) else 'noise'
        outline = ridge(canvas, horizon + 2, tall * (0.4 + depth), canvas.count(2, 6), 0.55)
        paint = Paint(scaled(colour, 1.15), name, 0.5 - 0.35 * depth, 4 if name == 'leaves' else 1)
        canvas.texture(outline, paint)
