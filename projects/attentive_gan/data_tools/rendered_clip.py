"""Frames of a camera that moves over a scene behind wet glass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from raindrop_renderer.moving_water import MovingWater, Water
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.parameters import RaindropParameters
from raindrop_renderer.raindrops import RainyImage, render_raindrops
from raindrop_renderer.sampling import is_night, sample_parameters

from attentive_gan.datasets.camera_paths import Movement, look
from attentive_gan.utils.types import ImageArray

#: Frames per second; only the speed of the water depends on it.
RATE = 24

#: Standard deviation of the sum of four numbers of 0 to 255.
_SUM_DEVIATION = (4 * (256**2 - 1) / 12) ** 0.5


@dataclass(frozen=True)
class RenderedClip:
    """A clip; equal fields and scenes give equal frames."""

    movement: Movement
    """How the camera moves."""
    water: Water = 'fixed'
    """What the water on the glass does."""
    frames: int = 24
    """Number of frames."""
    size: tuple[int, int] = (240, 360)
    """(height, width) in pixels."""
    seed: int = 0
    """Seed of raindrops and noise."""
    noise: float = 0.0
    """Standard deviation of the sensor's noise in the rainy frames, in levels."""
    raindrops: RaindropOptions = field(default_factory=RaindropOptions)
    """Distribution of the raindrops; all frames have the parameters that are drawn for the first."""

    def render(self, scene: Callable[[int], ImageArray]) -> Iterator[RainyImage]:
        """Yield the frames.

        Args:
            scene: Returns a scene, RGB of `camera_paths.scene_size(size)`, uint8: 0, and 1 after a cut.

        Raises:
            RaindropOptionError: The frames are smaller than 16x16.
        """
        parameters: RaindropParameters | None = None
        for number in range(self.frames):
            clean = look(scene, self.movement, number, self.size)
            parameters = parameters or self._parameters(clean)
            water = MovingWater(self.water, number / RATE)
            image = render_raindrops(clean, parameters, self.raindrops.frame_width, water=water)
            yield replace(image, rainy=self._with_noise(image.rainy, number))

    def _parameters(self, clean: ImageArray) -> RaindropParameters:
        lighting = self.raindrops.lighting
        dark = is_night(clean) if lighting == 'auto' else lighting == 'night'
        return sample_parameters(self.seed, self.raindrops, night=dark)

    def _with_noise(self, rainy: ImageArray, number: int) -> ImageArray:
        """Add noise that is nearly normal, from whole numbers, which are the same on any machine."""
        if not self.noise:
            return rainy
        random = np.random.default_rng([self.seed, 21, number])
        total = np.zeros(rainy.shape, np.int32)
        for _ in range(4):
            total += random.integers(0, 256, rainy.shape, np.uint8)
        noise = np.rint(self.noise / _SUM_DEVIATION * (total - 510))
        return np.asarray(np.clip(rainy + noise, 0, 255), np.uint8)
