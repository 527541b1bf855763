"""How much of what other frames show replaces the network's image."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from .motion import Map, blur, channel_mean

#: Standard deviation in pixels of the blur that divides a change into coarse and fine.
_FINE = 2.0
#: Factors of the measured error of the coarse and of the fine part, behind drops that let light pass and
#: behind opaque ones. Motion that is wrong by less than a pixel, and the mean of several frames, blur what
#: is fine, and leave what is coarse.
_COARSE_CAUTION, _FINE_CAUTION = (0.25, 0.1), (2.5, 0.7)
#: Mean attention from which a drop counts as opaque, and the range above that in which it surely is.
_OPAQUE, _OPAQUE_RANGE = 0.5, 0.3


def mixed_change(change: Map, known: Map, drops: Map, changed: Map, attention: Map) -> Map:
    """Return the part of a change of the network's image that lessens its error, (H, W, 3).

    Args:
        change: Difference of what other frames show from the network's image (H, W, 3), 0 where unknown.
        known: How much other frames show (H, W), 0 to 1.
        drops: Where drops are (h, w), at the working size, 0 to 1.
        changed: Where the network has changed the source, likewise; it flickers there, too, coarsely.
        attention: Mean attention likewise.
    """
    coarse = blur(change, _FINE)
    opaque = np.clip((attention - _OPAQUE) / _OPAQUE_RANGE, 0, 1)
    result = np.zeros_like(change)
    for part, where, caution in (
        (coarse, np.maximum(drops, changed), _COARSE_CAUTION),
        (change - coarse, drops, _FINE_CAUTION),
    ):
        factor = caution[0] + (caution[1] - caution[0]) * opaque
        share = where * _useful_share(part, known, drops, factor)
        result += (cv2.resize(share, known.shape[::-1]) * known)[..., None] * part
    return result


def _useful_share(change: Map, known: Map, drops: Map, caution: Map) -> Map:
    """Return the share of a change that gives the least mean square error, (h, w), 0 to 1.

    Beside drops, a change is the error of what was fetched; behind them, that of the network adds to it.
    Of two estimates with independent errors, the best mixture gives each the share of the other's mean
    square error: for the fetched one, 1 - (its own error) / (mean square of the change). `caution` is the
    factor of that error.
    """
    size = drops.shape[::-1]
    squares, weight = (
        cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        for values in (channel_mean(change**2), known)
    )
    sigma = max(4.0, min(size) / 20)
    beside, behind = (
        blur(squares * part, sigma) / (blur(part, sigma) + 1e-3)
        for part in (weight * (1 - drops), weight * drops)
    )
    return cast(Map, np.clip(1 - caution * beside / (behind + 1e-3), 0, 1))
