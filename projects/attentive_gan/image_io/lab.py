"""CIELAB as TIFF files store it (TIFF 6.0, section 23), to sRGB."""

from __future__ import annotations

import numpy as np

from attentive_gan.utils.types import PixelArray

#: White of the profile connection space, D50 (ICC.1, section 6.3.4.3).
_D50 = np.array([0.9642, 1.0, 0.8249])
#: XYZ under D50 to linear sRGB: IEC 61966-2-1, adapted by Bradford's method.
_TO_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)
_EPSILON, _SLOPE = 216 / 24389, 24389 / 27


def rgb_of_lab(stored: PixelArray) -> PixelArray:
    """Convert CIELAB to sRGB; colours beyond sRGB are clipped.

    Args:
        stored: (H, W, 3), uint8 or uint16: L* from 0 to 100 over the whole range, a* and b* as signed
            numbers of 8 bits, or of 16 bits in steps of 1/256.

    Returns:
        RGB (H, W, 3) of the same type.
    """
    top = int(np.iinfo(stored.dtype).max)
    unit = (top + 1) / 256
    result = np.empty_like(stored)
    for first in range(0, len(stored), 64):  # float64: a few rows at a time
        rows = stored[first : first + 64].astype(np.float64)
        signed = np.where(rows > top // 2, rows - (top + 1), rows) / unit
        y = (rows[..., 0] * (100 / top) + 16) / 116
        f = np.stack([y + signed[..., 1] / 500, y, y - signed[..., 2] / 200], -1)
        xyz = np.where(f**3 > _EPSILON, f**3, (116 * f - 16) / _SLOPE) * _D50
        linear = (xyz @ _TO_SRGB.T).clip(0, 1)
        low = linear <= 0.0031308
        encoded = np.where(low, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        result[first : first + 64] = np.rint(encoded * top)
    return result
