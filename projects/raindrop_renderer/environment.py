"""The environment map: radiance from all directions, of which the image covers only the middle.

A drop refracts light from up to 41 degrees to each side, far beyond the frame of a camera with a narrow
view. Beyond the frame the image is continued by reflection, with sky above a skyline and the mean of the
ground below. The bright crescent at the bottom of every drop is that sky.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .exact import Floats, box_blur, smooth_field, whole
from .parameters import RaindropParameters
from .sprites import DEGREES_PER_PIXEL, LEVEL_BLURS, LEVEL_UNITS

#: Rows and columns of the map; it reaches 66 degrees to each side.
SIDE = LEVEL_UNITS // 32

#: Largest radiance that the map holds for a scene without and with lamps, in units of 16 (white is 255**2 /
# 16).
_BRIGHTEST = 2.0**14 - 1
_BRIGHTEST_LAMP = 2.0**18 - 1

_RAMP = 8.0  # degrees over which the scene passes into the sky
_SKYLINE = 3.0  # degrees by which trees and houses raise or lower the sky's edge


def environment_map(scene: Floats, focal: float, parameters: RaindropParameters) -> NDArray[Any]:
    """Build the map of radiances in all directions.

    Args:
        scene: The clean image, linear (H, W, 3) with white at 255**2, whole numbers, possibly shrunk.
        focal: Focal length in pixels of `scene`.
        parameters: Sky, lamps and seed.

    Returns:
        (4 * SIDE, SIDE, 3): four levels below each other, each more blurred (`LEVEL_BLURS`), whole numbers
        in units of 1/16. float32, or float64 where there are lamps, whose radiance has more bits.
    """
    random = np.random.default_rng([parameters.seed, 3])
    angles = np.asarray((np.arange(SIDE) + 0.5 - SIDE / 2) * DEGREES_PER_PIXEL, np.float64)
    radiance = _continued(scene, focal, angles).astype(np.float64)
    bright = parameters.lamp_gain > 1 or parameters.lamps > 0
    if bright:
        clipped = np.clip((radiance.min(axis=2) / 65025 - 0.7) / 0.3, 0, 1)[..., None]
        radiance *= 1 + (parameters.lamp_gain - 1) * clipped**2
    edge = np.degrees(np.arctan(scene.shape[0] / 2 / focal))
    ground = scene[-max(1, len(scene) // 8) :].mean(axis=(0, 1), dtype=np.float64)
    below = _step((angles - 1.3 * edge - 2) / (_RAMP * 2))[:, None, None]
    radiance += below * (ground - radiance)
    sky, share = _sky(random, angles, parameters)
    radiance += share * (sky * 65025 - radiance)
    if parameters.lamps:
        radiance += _lamps(random, angles, edge, parameters)
    level = np.minimum(whole(radiance / 16), _BRIGHTEST_LAMP if bright else _BRIGHTEST)
    exact = level if bright else level.astype(np.float32)
    return np.vstack([box_blur(box_blur(exact, size), size) for size in LEVEL_BLURS])


def _continued(scene: Floats, focal: float, angles: NDArray[np.float64]) -> Floats:
    """Sample the image in every direction of the map, reflected at its borders."""
    height, width = scene.shape[:2]
    reach = whole(focal * np.tan(np.radians(angles)) * 32) / 32
    across = np.broadcast_to(reach + np.rint((width - 1) * 16) / 32, (SIDE, SIDE))
    down = np.broadcast_to((reach + np.rint((height - 1) * 16) / 32)[:, None], (SIDE, SIDE))
    places = (np.ascontiguousarray(part, np.float32) for part in (across, down))
    return cv2.remap(scene, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[call-overload, no-any-return]


def _step(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smoothstep function of the position, 0 to 1."""
    t = np.clip(position, 0, 1)
    return t * t * (3 - 2 * t)


def _sky(
    random: np.random.Generator, angles: NDArray[np.float64], parameters: RaindropParameters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sky's radiance (SIDE, SIDE, 3) in shares of white, and its share of each direction."""
    unit = np.linspace(0, 1, SIDE)
    skyline = smooth_field(random.random((4, 24)), unit[:1], unit) - 0.5
    clouds = smooth_field(random.random((10, 10)), unit, unit) - 0.5
    elevation = -angles[:, None] - parameters.sky_elevation - 2 * _SKYLINE * skyline
    share = _step(elevation / _RAMP)
    fall = 1 - 0.4 * np.clip(elevation / 60, 0, 1)
    level = parameters.sky_radiance * fall * (1 + 0.5 * clouds)
    warmth = parameters.sky_warmth / 2
    colour = np.array([1 + warmth, 1.0, 1 - warmth])
    return level[..., None] * colour, share[..., None]


def _lamps(
    random: np.random.Generator,
    angles: NDArray[np.float64],
    edge: float,
    parameters: RaindropParameters,
) -> NDArray[np.float64]:
    """Return the radiance (SIDE, SIDE, 3) of lamps beyond the frame, in units of the scene."""
    light = np.zeros((SIDE, SIDE, 3))
    for _ in range(parameters.lamps):
        above = random.uniform(-1.2 * edge, max(25.0, 2 * edge))
        beside = random.uniform(-58, 58)
        radius = random.uniform(0.6, 1.8)
        colour = np.array([1.0, random.uniform(0.7, 1), random.uniform(0.35, 1)])
        strength = parameters.lamp_gain * 65025 * random.uniform(0.4, 1)
        distance = np.hypot(angles[:, None] + above, angles - beside) / radius
        light += strength * np.clip(1.4 - distance, 0, 1)[..., None] * colour
    return whole(light)
