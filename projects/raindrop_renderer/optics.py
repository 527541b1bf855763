"""Refraction and reflection at the surface of a drop on glass.

A drop is thin and its flat side faces the camera, so light that reaches the camera along the glass's normal
was bent once, where it entered the drop's curved side. Snell's law and Fresnel's equations for unpolarised
light give its direction and its share (Born & Wolf, Principles of Optics, section 1.5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Angles = NDArray[np.float64]

#: Refractive index of water in visible light.
WATER = 1.333

#: Slope of a drop's surface beyond which all light is reflected inside, degrees.
CRITICAL_SLOPE = float(np.degrees(np.arcsin(1 / WATER)))


def deviation(slope: Angles) -> Angles:
    """Return the angle by which a drop bends light, towards its thicker part.

    Args:
        slope: Angle between the drop's surface and the glass, degrees, 0 to `CRITICAL_SLOPE`.

    Returns:
        Deviation, degrees: asin(n sin(slope)) - slope.
    """
    inside = np.radians(slope)
    outside = np.arcsin(np.minimum(WATER * np.sin(inside), 1))
    return np.asarray(np.degrees(outside - inside))


def transmission(slope: Angles) -> Angles:
    """Return the share of unpolarised light that passes a drop's curved surface, 0 to 1.

    Args:
        slope: Angle between the drop's surface and the glass, degrees; 0 beyond `CRITICAL_SLOPE`.
    """
    inside = np.radians(slope)
    sine = WATER * np.sin(inside)
    outside = np.arcsin(np.minimum(sine, 1))
    near, far = np.cos(inside), np.cos(outside)
    parallel = ((WATER * far - near) / (WATER * far + near)) ** 2
    perpendicular = ((WATER * near - far) / (WATER * near + far)) ** 2
    return np.where(sine < 1, 1 - (parallel + perpendicular) / 2, 0.0)
