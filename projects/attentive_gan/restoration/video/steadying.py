"""Steady results where neither scene nor drops move: there, noise alone changes what the network makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import cv2
import numpy as np

from attentive_gan.utils.types import PixelArray

from .motion import Map, blur, channel_mean, length

#: Frames before and after that are averaged.
REACH = 4
#: Standard deviation in pixels of the neighbourhood in which a source is compared.
_AROUND = 2.0
#: Mean difference of the source, in levels, at which a frame counts exp(-1).
_SAME = 1.0
#: Largest deviation of noise that is assumed, in levels; what differs by more has moved.
_MOST_NOISE = 3.0
#: Motion of the scene, in pixels of the working size, at which a frame counts exp(-1): where there is
#: little contrast, motion and noise change a frame alike.
_MOTION = 0.25
#: Change by the network, in levels, from which its result is averaged, and above that certainly.
_CHANGED, _CHANGED_RANGE = 1.0, 3.0


class SteadyFrame(NamedTuple):
    """A frame of the source and its result."""

    source: PixelArray
    """At the working size, (h, w, 3), uint8."""
    small: PixelArray
    """The result at the working size, (h, w, 3), uint8."""
    image: PixelArray
    """The result, (H, W, 3), uint8 or uint16."""

    @property
    def changed(self) -> Map:
        """Where the network has changed the source, (h, w), 0 to 1."""
        change = channel_mean(np.abs(self.small.astype(np.float32) - self.source))
        return cast(Map, np.clip((blur(change, _AROUND) - _CHANGED) / _CHANGED_RANGE, 0, 1))


def steady_change(frame: SteadyFrame, others: Sequence[tuple[SteadyFrame, Map]]) -> Map | None:
    """Return what makes a frame equal to the mean of those whose source is the same up to noise.

    Only what the network has changed is averaged; elsewhere the noise of the source stays.

    Args:
        frame: The frame.
        others: Frames near to it, and the flow (h, w, 2) of the scene from it to each of them.

    Returns:
        Differences (H, W, 3) from its image; None where no frame has the same source anywhere.
    """
    height, width = frame.image.shape[:2]
    total = weights = None
    for other, flow in others:
        weight = _sameness(frame.source, other.source) * _stillness(flow)
        if weight.mean() < 1e-2:
            continue
        full = cv2.resize(weight, (width, height))
        difference = (other.image.astype(np.float32) - frame.image) * full[..., None]
        total = difference if total is None else total + difference
        weights = full if weights is None else weights + full
    if total is None or weights is None:
        return None
    share = cv2.resize(frame.changed, (width, height)) / (1 + weights)
    return cast(Map, total * share[..., None])


def _sameness(source: PixelArray, other: PixelArray) -> Map:
    """Return where two frames differ by noise alone, (h, w), 0 to 1."""
    difference = source.astype(np.float32) - other
    red, green, blue = cv2.split(np.abs(blur(difference, _AROUND)))
    mean = np.maximum(np.maximum(red, green), blue)
    spread = blur(channel_mean(np.abs(difference)), _AROUND)
    # The least of all differences is that of noise.
    noise = min(float(np.quantile(spread[::2, ::2], 0.1)), _MOST_NOISE)
    excess = np.maximum(0, spread - 1.3 * noise)
    return cast(Map, np.exp(-(((mean + excess) / _SAME) ** 2)).astype(np.float32))


def _stillness(flow: Map) -> Map:
    """Return where a scene does not move, (h, w), 0 to 1."""
    return cast(Map, np.exp(-((length(flow) / _MOTION) ** 2)))
