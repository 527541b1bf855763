"""Raindrops on an image: refraction, defocus, mist, veil and reflection, in linear light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .aperture import aperture_kernel
from .environment import environment_map
from .errors import RaindropOptionError
from .exact import Floats, box_blur_levels, enlarge, filter_whole, shrink, whole
from .film import Film
from .glass import stamp, through_drops
from .highlights import Highlights
from .moving_water import MovingWater
from .parameters import RaindropParameters
from .placement import Drops, place_drops
from .sprites import DEGREES_PER_PIXEL, FULL, UNITS_PER_DEGREE

#: Largest radius of a blur in pixels of the grid on which it is computed: of the full grid, of the one with
#: half as many rows, and of coarser ones. The grid is the coarsest that still shows the blur's outline.
_LARGEST_BLURS = (2.5, 4.0, 5.2)

#: Pixels of the image whose glass is in memory at a time, and that are composed at a time.
_BAND_PIXELS = 2_000_000
_CACHED_PIXELS = 30_000

#: Blurs of less than this radius or deviation in pixels are left out; above the second, the film's blur is
#: computed on a coarser grid.
_LEAST_BLUR = 0.5
_LARGEST_DEVIATION = 3.0

#: The lens and the sensor blur what is in focus by this share of the frame's width.
_SHARPEST = 0.6 / 720

#: Largest width of the shrunk image from which environment, mist and reflection are made.
_COARSE_WIDTH = 128

_SMALLEST_SIDE = 16

#: A part of an image: top, left, height, width, in pixels.
Window = tuple[int, int, int, int]


@dataclass(frozen=True)
class RainyImage:
    """A clean image seen through raindrops."""

    rainy: NDArray[np.uint8]
    """With raindrops, RGB (H, W, 3), uint8."""
    clean: NDArray[np.uint8]
    """Without, RGB (H, W, 3), uint8."""
    alpha: Floats
    """Share of each pixel's light that comes from drops, (H, W), float32, 0 to 1."""
    parameters: RaindropParameters
    """Parameters of the rendering."""

    @property
    def coverage(self) -> NDArray[np.uint8]:
        """`alpha` as uint8, (H, W), 0 to 255: a quarter of the memory."""
        return np.asarray(cv2.convertScaleAbs(self.alpha, alpha=255), np.uint8)

    def part(self, window: Window) -> RainyImage:
        """Cut out top, left, height and width in pixels."""
        top, left, height, width = window
        cut = slice(top, top + height), slice(left, left + width)
        rainy, clean = (np.ascontiguousarray(part[cut]) for part in (self.rainy, self.clean))
        return RainyImage(rainy, clean, np.ascontiguousarray(self.alpha[cut]), self.parameters)


def render_raindrops(
    clean: NDArray[np.uint8],
    parameters: RaindropParameters,
    frame_width: int | None = None,
    window: Window | None = None,
    water: MovingWater | None = None,
) -> RainyImage:
    """Render an image behind wet glass; equal arguments give equal bytes on any machine.

    With coverage A and premultiplied light L of the drops, both blurred by the aperture, the scene B, its
    part m that the film blurs to M and its part h that is scattered widely to G, veil v of level V,
    reflection R and gain g, a pixel becomes
    g (1 - v) ((1 - A) ((1 - m - h) B + m M + h G) + L) + v V + R, in linear light (gamma 2).

    Args:
        clean: RGB image (H, W, 3), uint8, at least 16x16.
        parameters: Physical parameters.
        frame_width: Width in pixels of the camera's whole frame, of which the image is a cut; None for
            the image's own width.
        window: Top, left, height and width in pixels of the part of the image that is wanted. It gets the
            bytes that it has in the whole image, in less time; None for the whole.
        water: What the drops do and when, for a frame of a video; None for drops that stay.

    Raises:
        RaindropOptionError: The image is smaller than 16x16, or the window does not lie within it.
        ValueError: The array is not an RGB image.

    Example:
        >>> clean = np.full((32, 48, 3), 90, np.uint8)
        >>> image = render_raindrops(clean, RaindropParameters(coverage=0.4, seed=7))
        >>> image.rainy.shape, image.alpha.shape, image.coverage.dtype
        ((32, 48, 3), (32, 48), dtype('uint8'))
    """
    if clean.dtype != np.uint8 or clean.ndim != 3 or clean.shape[2] != 3:
        raise ValueError(f'an image must be uint8 (H, W, 3); got {clean.dtype} {clean.shape}')
    if min(clean.shape[:2]) < _SMALLEST_SIDE:
        raise RaindropOptionError(
            f'Raindrops need an image of at least {_SMALLEST_SIDE}x{_SMALLEST_SIDE} pixels; '
            f'got {clean.shape[1]}x{clean.shape[0]}.'
        )
    whole_image = (0, 0, *clean.shape[:2])
    top, left, height, width = window or whole_image
    inside = (
        0 <= top < top + height <= clean.shape[0] and 0 <= left < left + width <= clean.shape[1]
    )
    if not inside:
        raise RaindropOptionError(
            f'The window {window} (top, left, height, width) must lie within the image, '
            f'which is {clean.shape[1]}x{clean.shape[0]}.'
        )
    rendering = _Rendering(
        np.ascontiguousarray(clean),
        parameters,
        frame_width,
        window or whole_image,
        water or MovingWater(),
    )
    return rendering.image()


class _Rendering:
    """The state of rendering one window; `grid` is the coarser grid of glass and blur."""

    def __init__(
        self,
        clean: NDArray[np.uint8],
        parameters: RaindropParameters,
        frame_width: int | None,
        window: Window,
        water: MovingWater,
    ) -> None:
        self.clean, self.parameters, self.window = clean, parameters, window
        self.water = water
        self.height, self.width = clean.shape[:2]
        self.frame = frame_width or self.width
        p = parameters
        self.focal = self.frame / 2 / np.tan(np.radians(p.field_of_view / 2))
        scale = self.focal / p.glass_distance
        defocus, sharpest = p.aperture * scale, _SHARPEST * self.frame
        self.scene_blur = defocus if p.focus == 'drops' else 0.0
        self.blur = sharpest if p.focus == 'drops' else float(np.hypot(defocus, sharpest))
        self.grid = _grid_for(self.blur)
        # The grid blurs too: its cells average twice (drop and kernel), and interpolation spreads them.
        # A disc of radius b has the variance b**2 / 4, a cell 1 / 12, linear interpolation 1 / 6.
        own = self.grid**2 * (4 / 3 if self.grid > 1 else 2 / 3)
        rest = np.sqrt(max(self.blur**2 - own, 0)) / self.grid
        self.kernel = aperture_kernel(round(float(rest), 3), p.blades, p.blade_angle)
        self.margin = len(self.kernel) // 2
        # Whole cells of the grid that hold the window: first, and the one after the last.
        top, left, height, width = window
        self.first_row, self.last_row = top // self.grid, -(-(top + height) // self.grid)
        self.first_column, self.last_column = left // self.grid, -(-(left + width) // self.grid)
        self.across = slice(
            self.first_column * self.grid, min(self.last_column * self.grid, self.width)
        )
        self.drops = self._drops(scale / self.grid)
        size = (self.height, self.width)
        self.highlights = Highlights(p, size, self.frame, self.blur, water)

    def _drops(self, scale: float) -> Drops:
        margin = self.margin + 1 + 2 * scale * self.parameters.radius_median
        glass = (-(-self.height // self.grid), -(-self.width // self.grid))
        drops = place_drops(glass, scale, margin, self.parameters)
        return self.water.drops(drops, glass, scale, self.parameters.seed)

    @cached_property
    def coarse_grid(self) -> int:
        """Factor by which the image is shrunk for environment, mist and reflection."""
        factor = self.grid
        while self.width / factor > _COARSE_WIDTH:
            factor *= 2
        return factor

    @cached_property
    def coarse(self) -> Floats:
        """The scene on the coarse grid, linear (h, w, 3)."""
        step = self.coarse_grid * max(1, _CACHED_PIXELS // (self.width * self.coarse_grid))
        parts = (self.clean[top : top + step] for top in range(0, self.height, step))
        return np.vstack([shrink(_linear(part), self.coarse_grid) for part in parts])

    @cached_property
    def environment(self) -> NDArray[Any]:
        """Radiances in all directions."""
        return environment_map(self.coarse, self.focal / self.coarse_grid, self.parameters)

    def image(self) -> RainyImage:
        """Finish the window band by band."""
        above, rows = self.first_row * self.grid, min(self.last_row * self.grid, self.height)
        size = (rows - above, self.across.stop - self.across.start)
        rainy, alpha = np.empty((*size, 3), np.uint8), np.empty(size, np.float32)
        for first, last in self._bands():
            self._band(first, last, rainy, alpha)
        # The clean image is cut like the others, from whole cells.
        clean = self.clean[above : above + size[0], self.across]
        whole_cells = RainyImage(rainy, clean, alpha, self.parameters)
        top, left, height, width = self.window
        return whole_cells.part((top - above, left - self.across.start, height, width))

    def _bands(self) -> Iterator[tuple[int, int]]:
        """Yield the first row of each band, and the one after its last, on the grid."""
        step = max(8, _BAND_PIXELS // (self._width * self.grid))
        for first in range(self.first_row, self.last_row, step):
            yield first, min(first + step, self.last_row)

    @property
    def _width(self) -> int:
        """Columns of the image that are rendered."""
        return int(self.across.stop - self.across.start)

    def _band(self, first: int, last: int, rainy: NDArray[np.uint8], alpha: Floats) -> None:
        """Write the rows `first` to `last` of the grid into the results."""
        film = Film(
            self.parameters,
            self.coarse,
            self.coarse_grid // self.grid,
            self.parameters.haze_blur * self.frame / self.coarse_grid,
            (first - 1, last + 1),
            (self.first_column - 1, self.last_column + 1),
        )
        drops, light = self._through_glass(first - 1, last + 1)
        passed, bent, added = film.over(drops, light)
        passed, bent = np.dstack([passed] * 3), np.dstack([bent] * 3)
        # Few rows at a time stay in the processor's cache.
        step = max(1, _CACHED_PIXELS // (self._width * self.grid))
        above = self.first_row * self.grid
        for top in range(first, last, step):
            bottom = min(top + step, last)
            part = slice(top - first, bottom - first + 2)
            rows = slice(top * self.grid, min(bottom * self.grid, self.height))
            scene = self._scene(rows)
            full = self._product(passed[part], scene, rows)
            full += self._product(bent[part], self._through_film(scene, rows), rows)
            full += self._full_size(added[part], rows)
            out = slice(rows.start - above, rows.stop - above)
            np.multiply(self._full_size(drops[part], rows), 1 / FULL, out=alpha[out])
            self.highlights.add(full, alpha[out], rows.start, self.across.start)
            rainy[out] = cv2.convertScaleAbs(np.sqrt(full, out=full))

    def _product(self, share: Floats, scene: Floats, rows: slice) -> Floats:
        """Return shares (1 is 256) of the grid times rows of a scene, exactly: 8 bits times 16."""
        full = self._full_size(share, rows)
        np.rint(full, out=full)
        full *= np.float32(1 / 256)
        full *= scene
        return full

    def _through_film(self, scene: Floats, rows: slice) -> Floats:
        """Return rows of the scene as the film of water shows them, a little blurred."""
        deviation = self.parameters.mist_blur * self.frame
        if self.scene_blur >= _LEAST_BLUR or deviation < _LEAST_BLUR:
            return scene
        grid = 1
        while deviation / grid > _LARGEST_DEVIATION:
            grid *= 2
        # Two boxes of n pixels have the variance (n**2 - 1) / 6.
        size = 2 * round((np.sqrt(6 * (deviation / grid) ** 2 + 1) - 1) / 2) + 1
        small, above, left = self._shrunk(rows, grid, size)
        levels = small.astype(np.uint16)
        if size > 1:
            levels = box_blur_levels(box_blur_levels(levels, size), size)
        full = enlarge(levels.astype(np.float32), grid)
        if grid > 1:
            np.rint(full, out=full)
        return full[above : above + rows.stop - rows.start, left : left + self._width]

    def _full_size(self, part: Floats, rows: slice) -> Floats:
        """Enlarge a part of the grid with a pixel more on each side, and cut these pixels off."""
        full = enlarge(part, self.grid)
        return full[
            self.grid : self.grid + rows.stop - rows.start, self.grid : self.grid + self._width
        ]

    def _scene(self, rows: slice) -> Floats:
        """Return rows of the scene, linear, blurred where the camera is focused on the drops."""
        if self.scene_blur < _LEAST_BLUR:
            return _linear(self.clean[rows, self.across])
        grid = _grid_for(self.scene_blur)
        radius = round(self.scene_blur / grid, 3)
        kernel = aperture_kernel(radius, self.parameters.blades, self.parameters.blade_angle)
        margin = len(kernel) // 2
        small, above, left = self._shrunk(rows, grid, margin + 1)
        # One pixel more than the kernel needs, so that the rows and columns in use are interpolated.
        border = (margin + 1, margin + 1, margin + 1, margin + 1)
        padded = cv2.copyMakeBorder(small, *border, cv2.BORDER_REPLICATE)
        blurred = whole(filter_whole(padded.astype(np.float64), kernel)).astype(np.float32)
        full = enlarge(blurred, grid)
        np.rint(full, out=full)
        return full[grid + above :][
            : rows.stop - rows.start, grid + left : grid + left + self._width
        ]

    def _shrunk(self, rows: slice, grid: int, margin: int) -> tuple[Floats, int, int]:
        """Return the shrunk scene around some rows, and how many full rows and columns of it come before.

        Args:
            rows: Rows of the image.
            grid: Factor by which the scene is shrunk.
            margin: Cells of the grid wanted on each side, where the image has them.
        """
        (top, bottom), (left, right) = (
            (max(0, span.start // grid - margin) * grid, (-(-span.stop // grid) + margin) * grid)
            for span in (rows, self.across)
        )
        small = shrink(_linear(self.clean[top:bottom, left:right]), grid)
        return small, rows.start - top, self.across.start - left

    def _through_glass(self, first: int, last: int) -> tuple[Floats, Floats]:
        """Return blurred coverage and light of the drops on rows of the grid, one column more per side."""
        rows = (first - self.margin, last + self.margin)
        columns = (self.first_column - 1 - self.margin, self.last_column + 1 + self.margin)
        pixels = stamp(self.drops, rows, columns)
        angles = self._angles(rows, self.height), self._angles(columns, self.width)
        ambient = self.environment[: len(self.environment) // 4].mean(axis=(0, 1), dtype=np.float64)
        coverage, light = through_drops(
            pixels, self.environment, angles, whole(ambient * self.parameters.rim)
        )
        blurred = filter_whole(np.dstack([coverage, light]), self.kernel)
        drops = np.rint(blurred[..., 0]).astype(np.float32)
        return drops, (blurred[..., 1:] * 16).astype(np.float32)

    def _angles(self, places: tuple[int, int], size: int) -> NDArray[np.int64]:
        """Return the directions through rows or columns of the grid (see `through_drops`)."""
        pixels = (np.arange(*places) + 0.5) * self.grid - size / 2
        degrees = np.degrees(np.arctan(pixels / self.focal))
        middle = (66 / DEGREES_PER_PIXEL - 0.5) * 32
        return whole(degrees * UNITS_PER_DEGREE + middle).astype(np.int64)


def _grid_for(blur: float) -> int:
    """Return the factor, a power of two, of the grid for a blur of this radius in pixels."""
    grid = 1
    while blur / grid > _LARGEST_BLURS[min(grid.bit_length(), len(_LARGEST_BLURS)) - 1]:
        grid *= 2
    return grid


def _linear(image: NDArray[np.uint8]) -> Floats:
    """Return linear light of an image with gamma 2, (H, W, 3), whole numbers 0 to 65025."""
    return cv2.multiply(image, image, dtype=cv2.CV_32F)  # type: ignore[return-value]
