"""The film of water between the drops and the glass itself: mist, haze, veil, reflection, exposure."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .exact import Floats, box_blur, enlarge, smooth_field, whole
from .parameters import RaindropParameters
from .sprites import FULL


class Film:
    """Mist, haze, veil, reflection and gain on a part of the grid on which the glass is computed.

    Args:
        parameters: What the film and the glass do to light.
        coarse: The scene on a coarse grid, linear (h, w, 3), whole numbers.
        factor: Cells of the grid per cell of the coarse grid and direction, a power of two.
        haze_radius: Radius of the haze in cells of the coarse grid.
        rows: First row of the part, and the one after its last; they may lie one beyond the image.
        columns: The same for columns.
    """

    def __init__(
        self,
        parameters: RaindropParameters,
        coarse: Floats,
        factor: int,
        haze_radius: float,
        rows: tuple[int, int],
        columns: tuple[int, int],
    ) -> None:
        self.parameters, self.coarse, self.factor = parameters, coarse, factor
        self.haze_radius, self.rows, self.columns = haze_radius, rows, columns

    def over(self, drops: Floats, light: Floats) -> tuple[Floats, Floats, Floats]:
        """Return which shares of the scene's light pass straight and through the film, and what is added.

        Args:
            drops: Coverage, (h, w), 0 to `FULL`.
            light: Premultiplied light of the drops, (h, w, 3), linear; it becomes part of the result.

        Returns:
            Two shares (h, w), 1 is 256, and the added light (h, w, 3), all whole numbers.
        """
        p = self.parameters
        random = np.random.default_rng([p.seed, 6])
        gain = p.gain * (1 - p.veil)
        field = 2 * self._field(random, (6, 8))
        mist = np.clip(p.mist * field, 0, 0.95)
        haze = np.minimum(p.haze * field, 1 - mist)
        free = np.float32(gain) * (1 - drops * np.float32(1 / FULL))
        bent, spread = (
            free * (self._on_grid(whole(share * 4096)) * np.float32(1 / 4096))
            for share in (mist, haze)
        )
        added = light
        added *= np.float32(gain)
        added += np.float32(p.veil * p.veil_level * 65025)
        if p.haze:
            added += spread[..., None] * self._scattered()
        if p.reflection:
            added += self._on_grid(self._reflected(random))
        np.minimum(added, 65535, out=added)
        passed = np.rint((free - bent - spread) * 256)
        return passed, np.rint(bent * 256), np.rint(added, out=added)

    def _field(self, random: np.random.Generator, cells: tuple[int, int]) -> NDArray[np.float64]:
        """Return smooth random values, 0 to 1, on the coarse grid."""
        down, across = (np.linspace(0, 1, n) for n in self.coarse.shape[:2])
        return smooth_field(random.random(cells), down, across)

    def _scattered(self) -> Floats:
        """Return the widely scattered scene, (h, w, 3)."""
        size = 2 * round(self.haze_radius) + 1
        return self._on_grid(box_blur(box_blur(self.coarse, size), size))

    def _reflected(self, random: np.random.Generator) -> NDArray[np.float64]:
        """Return a blurred, mirrored and tinted image of the scene behind the camera, in a part."""
        p = self.parameters
        behind = box_blur(self.coarse[:, ::-1].copy(), 5)
        window = np.clip((self._field(random, (5, 6)) - 0.45) * 4, 0, 1) * p.reflection
        tint = np.rint(random.uniform(0.4, 1, 3) * 256) / 256
        return whole(window[..., None] * tint * (behind * 0.6 + 26000))

    def _on_grid(self, coarse: NDArray[Any]) -> Floats:
        """Enlarge whole numbers on the coarse grid, and cut out this part."""
        padded = cv2.copyMakeBorder(coarse.astype(np.float32), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        down, above = self._cells(self.rows)
        across, left = self._cells(self.columns)
        large = enlarge(np.asarray(padded[down, across]), self.factor)
        height, width = (last - first for first, last in (self.rows, self.columns))
        return large[above : above + height, left : left + width]

    def _cells(self, places: tuple[int, int]) -> tuple[slice, int]:
        """Return the padded coarse cells that places on the grid need, and where these begin in them.

        A cell more on each side than is needed: the border of an enlarged part is not interpolated.
        """
        first, last = (place + self.factor for place in places)
        before = max(0, first // self.factor - 1)
        return slice(before, -(-last // self.factor) + 1), first - before * self.factor
