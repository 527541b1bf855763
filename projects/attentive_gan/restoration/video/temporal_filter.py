"""Scene behind raindrops, fetched from earlier and later frames of a video."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.utils.types import PixelArray

from .attention_average import SCENE_CUT
from .mixing import mixed_change
from .motion import (
    Map,
    blur,
    channel_mean,
    composed,
    consistency,
    positions,
    resized_flow,
    scene_flow,
    warp,
)
from .steadying import REACH, SteadyFrame, steady_change

#: Frames before and after the present one that are used; drops of some tens of pixels need some frames of
#: motion to be passed.
RADIUS = 12
#: Distances in frames from which pixels are fetched.
_DISTANCES = (1, 2, 3, 4, 6, 8, 10, 12)
#: Largest side of the images in which motion is estimated.
_WORKING_SIDE = 480
#: Mean attention from which a drop may be there, and above that range it certainly is.
_DROP, _DROP_RANGE = 0.07, 0.22
#: Frames before and after over which attention is averaged to find the drops of the present frame, and of
#: one from which pixels are fetched. Drops that run, form or are wiped away need short times, details of
#: the scene that look like drops need long ones.
_PRESENT, _OTHER = 4, 2
#: Difference of colours around a drop, in levels, at which a fetched pixel counts exp(-1).
_RIM = 12.0
#: Weight of all fetched pixels at which they replace the network's: of earlier frames, and of both kinds.
_ENOUGH = (0.4, 0.6)
_THUMBNAIL = (64, 36)


@dataclass
class _Frame:
    """A restored frame, and its relation to the frame before it."""

    steady: SteadyFrame
    """The rainy frame, and the restored one."""
    attention: Map
    """Attention map at the working size."""
    thumbnail: Map
    """The rainy frame, to detect cuts."""
    forth: Map | None = None
    """Flow from the frame before to this one."""
    back: Map | None = None
    """Flow from this frame to the one before."""
    trust: tuple[Map, Map] | None = None
    """Consistency of both."""

    drops: Map | None = None
    """Where drops are, once all frames around it are known."""

    @property
    def image(self) -> PixelArray:
        """Restored by the network, (H, W, 3), uint8 or uint16."""
        return self.steady.image

    @property
    def small(self) -> PixelArray:
        """The same at the working size, (h, w, 3), uint8."""
        return self.steady.small


class TemporalFilter:
    """Replaces what the network invents behind drops by what other frames show there.

    Drops stay where they are in the image, or move in their own way, while the scene moves behind them, so
    the mean of the attention maps over some frames shows drops and forgets details of the scene. Behind a
    drop, the scene is taken from frames where it is visible: along the flow of the scene, from one frame to
    the next, weighted by visibility, consistency of the flow and similarity around the drop, with colours
    matched there, and as far as that lessens the error (`mixing`). Where no frame shows it, and in scenes
    that do not move, the network's image remains; there, frames whose source is the same up to noise are
    averaged (`steadying`).

    The result of a frame depends on `radius` frames after it and twice as many before it alone, so a video
    may be divided anywhere. A cut ends what frames share.

    Args:
        radius: Frames before and after the present one that are used.
        look_ahead: Whether later frames are used; without them a frame is returned at once.
    """

    def __init__(self, radius: int = RADIUS, look_ahead: bool = True) -> None:
        self.radius = radius
        self.look_ahead = look_ahead
        self._frames: deque[_Frame] = deque(maxlen=2 * radius + 1)
        self._waiting = 0
        self._ready: deque[PixelArray] = deque()

    @property
    def history(self) -> int:
        """Frames before a frame that its result depends on."""
        return 2 * self.radius

    def push(
        self, rainy: PixelArray, restored: PixelArray, attention: NDArray[np.float32]
    ) -> PixelArray | None:
        """Add a frame.

        Args:
            rainy: The frame, RGB (H, W, 3), uint8 or uint16.
            restored: The same, restored by the network.
            attention: Its attention map (H, W), 0 to 1.

        Returns:
            The next finished frame, of the same shape and type; None while more frames are needed.
        """
        shrunk = cv2.resize(_eight_bits(rainy), _THUMBNAIL, interpolation=cv2.INTER_AREA)
        thumbnail = shrunk.astype(np.float32)
        if self._frames and self._is_cut(restored, thumbnail):
            self._finish_scene()
        size = _working_size(restored)
        source, small, map_ = (
            cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            for image in (_eight_bits(rainy), _eight_bits(restored), attention)
        )
        pair = SteadyFrame(cast(PixelArray, source), cast(PixelArray, small), restored)
        frame = _Frame(pair, cast(Map, map_), thumbnail)
        self._frames.append(frame)
        self._waiting += 1
        if len(self._frames) > _OTHER:
            self._drops(len(self._frames) - 1 - _OTHER, _OTHER)
        self._connect()
        if self._waiting > (self.radius if self.look_ahead else 0):
            self._finish_one()
        return self._ready.popleft() if self._ready else None

    def begin_scene(self, radius: int) -> None:
        """Finish the frames so far and use another radius for those that follow."""
        self._finish_scene()
        self.radius = radius
        self._frames = deque(maxlen=2 * radius + 1)

    def flush(self) -> Iterator[PixelArray]:
        """Yield the frames that wait for later ones; the video is over."""
        self._finish_scene()
        while self._ready:
            yield self._ready.popleft()

    def _is_cut(self, restored: PixelArray, thumbnail: Map) -> bool:
        last = self._frames[-1]
        different = np.abs(thumbnail - last.thumbnail).mean() > SCENE_CUT
        changed = restored.shape != last.image.shape or restored.dtype != last.image.dtype
        return bool(different) or changed

    def _finish_scene(self) -> None:
        while self._waiting:
            self._finish_one()
        self._frames.clear()

    def _finish_one(self) -> None:
        self._ready.append(self._filtered(len(self._frames) - self._waiting))
        self._waiting -= 1

    def _connect(self) -> None:
        """Estimate the motion between the last two frames."""
        if len(self._frames) < 2:
            return
        visible = 1 - self._drops(len(self._frames) - 1, self.radius)
        last, frame = self._frames[-2], self._frames[-1]
        before, now = (cv2.cvtColor(f.small, cv2.COLOR_RGB2GRAY) for f in (last, frame))
        forth = scene_flow(cast(PixelArray, before), cast(PixelArray, now), visible)
        back = scene_flow(cast(PixelArray, now), cast(PixelArray, before), visible)
        frame.forth, frame.back = forth, back
        frame.trust = consistency(forth, back), consistency(back, forth)

    def _drops(self, number: int, reach: int) -> Map:
        """Return where drops are in a frame by those around it, at the working size, 0 to 1."""
        frame = self._frames[number]
        if reach == _OTHER and frame.drops is not None:
            return frame.drops
        drops = np.clip((self._attention(number, reach) - _DROP) / _DROP_RANGE, 0, 1)
        found = cast(Map, cv2.dilate(blur(drops, 1), np.ones((3, 3), np.uint8)))
        if reach == _OTHER and number + reach < len(self._frames):
            frame.drops = found
        return found

    def _attention(self, number: int, reach: int) -> Map:
        """Return the mean attention of a frame and those around it, at the working size."""
        end = min(number + reach + 1, len(self._frames))
        maps = [self._frames[k].attention for k in range(max(0, number - reach), end)]
        return cast(Map, np.mean(maps, axis=0))

    def _filtered(self, present: int) -> PixelArray:
        """Return a frame with the scene behind its drops."""
        frame = self._frames[present]
        drops = self._drops(present, _PRESENT)
        height, width = frame.image.shape[:2]
        total = np.zeros((height, width, 3), np.float32)
        weights = np.zeros((height, width), np.float32)
        near: list[tuple[SteadyFrame, Map]] = []
        for step in (-1, 1) if self.look_ahead else (-1,):
            for k, flow, trust in self._along(present, step):
                elsewhere = 1 - self._drops(k, _OTHER)
                if abs(k - present) <= REACH:
                    near.append((self._frames[k].steady, flow))
                self._fetch(
                    frame, self._frames[k], flow, trust, 1 - drops, elsewhere, total, weights
                )
        change = (total - weights[..., None] * frame.image) / (weights + 1e-6)[..., None]
        known = np.clip(weights / _ENOUGH[self.look_ahead], 0, 1)
        mixed = frame.image + mixed_change(
            change, known, drops, frame.steady.changed, self._attention(present, _PRESENT)
        )
        steady = steady_change(frame.steady, near)
        if steady is not None:
            mixed += steady * (1 - cv2.resize(drops, (width, height)) * known)[..., None]
        kind = frame.image.dtype
        return cast(PixelArray, np.clip(mixed + 0.5, 0, np.iinfo(kind).max).astype(kind))

    def _along(self, present: int, step: int) -> Iterator[tuple[int, Map, Map]]:
        """Yield numbers of frames in one direction with the flow to them and its consistency."""
        flow = trust = None
        for distance in range(1, self.radius + 1):
            k = present + step * distance
            if not 0 <= k < len(self._frames):
                return
            link = self._frames[k] if step > 0 else self._frames[k + 1]
            next_flow = link.forth if step > 0 else link.back
            if next_flow is None or link.trust is None:
                return
            next_trust = link.trust[0] if step > 0 else link.trust[1]
            if flow is None or trust is None:
                flow, trust = next_flow, next_trust
            else:
                trust = trust * warp(next_trust, flow)
                flow = composed(flow, next_flow)
            if distance in _DISTANCES:
                yield k, flow, cast(Map, trust / (1 + 0.1 * distance))

    @staticmethod
    def _fetch(
        frame: _Frame,
        other: _Frame,
        flow: Map,
        trust: Map,
        visible: Map,
        elsewhere: Map,
        total: Map,
        weights: Map,
    ) -> None:
        """Add the pixels of another frame and their weights to the sums, in place.

        `visible` and `elsewhere` are the visibility of the scene in the frame and in the other.
        """
        small_height, small_width = visible.shape
        height, width = frame.image.shape[:2]
        target = positions(small_height, small_width) + flow
        x, y = target[..., 0], target[..., 1]
        inside = (x >= 0) & (x <= small_width - 1) & (y >= 0) & (y <= small_height - 1)
        weight = trust * inside * warp(elsewhere, flow) ** 2
        # Colours and similarity are compared around the drops, where both frames show the scene.
        compared = weight * visible
        sigma = max(4.0, min(small_height, small_width) / 20)
        norm = blur(compared, sigma) + 0.02
        moved = warp(other.small, flow).astype(np.float32)
        gain = _gain(frame.small, moved, compared)
        weight *= min(1.0, 1 / gain) ** 2  # noise and steps of levels grow with it
        difference = frame.small - gain * moved
        offset = blur(difference * compared[..., None], sigma) / norm[..., None]
        error = channel_mean(np.abs(difference - offset))
        weight = weight * np.exp(-((blur(error * compared, sigma) / norm / _RIM) ** 2))
        size = (width, height)
        full = cv2.resize(weight.astype(np.float32), size)
        levels = np.iinfo(other.image.dtype).max / 255
        pixels = warp(other.image, resized_flow(flow, size), cv2.INTER_CUBIC)
        fetched = gain * pixels + cv2.resize(offset * levels, size)
        total += fetched * full[..., None]
        weights += full


def _gain(image: PixelArray, other: Map, weight: Map) -> float:
    """Return by how much an image (h, w, 3) is brighter than another, where both show the scene."""
    total = weight.sum() + 1e-6
    mean, other_mean = (
        float((channel_mean(values.astype(np.float32)) * weight).sum() / total)
        for values in (image, other)
    )
    return (mean + 0.1) / (other_mean + 0.1)


def _eight_bits(image: PixelArray) -> PixelArray:
    return image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)


def _working_size(image: PixelArray) -> tuple[int, int]:
    """Return (width, height), both at least 16, in which motion is estimated."""
    height, width = image.shape[:2]
    factor = max(1.0, max(height, width) / _WORKING_SIDE)
    return max(16, round(width / factor)), max(16, round(height / factor))
