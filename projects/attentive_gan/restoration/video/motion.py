"""Motion of the scene behind raindrops that stay where they are in the image."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.utils.types import ImageArray

#: Values of an image or map, float32.
Map = NDArray[np.float32]

#: Mean gradient, in levels per pixel, above which the flow of a pixel is reliable.
_TEXTURE = 4.0
#: Weight of the motion of the whole image, against that of reliable pixels nearby (at most 1).
_GLOBAL_WEIGHT = 0.05
#: Fewest reliable samples, and share of them that must agree, for a motion of the whole image.
_FEWEST_SAMPLES, _AGREEING = 30, 0.4
#: Standard deviation of a blur, in pixels, down to which images are made smaller for it.
_FINEST = 2.5


def scene_flow(first: ImageArray, second: ImageArray, visible: Map) -> Map:
    """Return the optical flow of the scene between two images.

    The flow of DIS (Kroeger et al., ECCV 2016, as in OpenCV) is kept where the scene is visible and
    textured. Elsewhere it follows such pixels around and, where there are few, one affine motion of the
    whole image.

    Args:
        first: Image (H, W), uint8.
        second: The image to which the flow leads, of the same size.
        visible: Visibility (H, W) of the scene, 0 behind drops to 1.

    Returns:
        Displacements (H, W, 2) in pixels, x and y: what is at p in `first` is at p + flow in `second`.
    """
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = cast(Map, dis.calc(first, second, None))  # type: ignore[call-overload]
    texture = np.clip(blur(gradient(first), 2) / _TEXTURE, 0, 1)
    confidence = visible**2 * texture + 1e-4 * visible
    sigma = max(4.0, min(first.shape) / 24)
    around = blur(flow * confidence[..., None], sigma)
    weight = blur(confidence, sigma)[..., None]
    overall = affine_flow(flow, confidence > 0.25)
    if overall is None:
        overall = blur(flow * confidence[..., None], 4 * sigma)
        overall /= blur(confidence, 4 * sigma)[..., None] + 1e-6
    filled = (around + _GLOBAL_WEIGHT * overall) / (weight + _GLOBAL_WEIGHT)
    kept = (visible * np.clip(2 * texture, 0, 1))[..., None]
    return cast(Map, (flow * kept + filled * (1 - kept)).astype(np.float32))


def affine_flow(flow: Map, reliable: NDArray[np.bool_]) -> Map | None:
    """Fit one affine motion to a flow.

    Args:
        flow: Displacements (H, W, 2).
        reliable: Pixels (H, W) to fit.

    Returns:
        Its displacements (H, W, 2); None if too few pixels agree.
    """
    height, width = reliable.shape
    ys, xs = np.mgrid[2:height:4, 2:width:4]
    chosen = reliable[ys, xs]
    if chosen.sum() < _FEWEST_SAMPLES:
        return None
    start = np.stack((xs[chosen], ys[chosen]), 1).astype(np.float32)
    end = start + flow[ys[chosen], xs[chosen]]
    matrix, agreeing = cv2.estimateAffine2D(start, end, ransacReprojThreshold=1.0, maxIters=500)
    if matrix is None or agreeing.mean() < _AGREEING:
        return None
    grid = positions(height, width)
    moved = grid @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
    return cast(Map, moved - grid)


def consistency(flow: Map, back: Map) -> Map:
    """Return how well a flow and the flow of the opposite direction agree, (H, W), 0 to 1."""
    gap = length(flow + warp(back, flow))
    return cast(Map, np.exp(-((gap / (0.7 + 0.05 * length(flow))) ** 2)))


def warp(image: NDArray[np.generic], flow: Map, interpolation: int = cv2.INTER_LINEAR) -> Map:
    """Return the values of an image (H, W) or (H, W, C) where a flow leads, the edge beyond the edge."""
    target = positions(*flow.shape[:2]) + flow
    moved = cv2.remap(image, target, None, interpolation, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return cast(Map, moved)


def composed(first: Map, second: Map) -> Map:
    """Return the flow that leads as far as one flow and then, from there, another."""
    return first + warp(second, first)


@lru_cache(maxsize=8)
def positions(height: int, width: int) -> Map:
    """Return x and y of every pixel, (H, W, 2), not to be changed."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    found = np.stack((x, y), 2).astype(np.float32)
    found.setflags(write=False)
    return found


def length(vectors: Map) -> Map:
    """Return the lengths (H, W) of vectors (H, W, 2)."""
    return cast(Map, cv2.magnitude(*cv2.split(vectors)))


def channel_mean(values: Map) -> Map:
    """Return the mean (H, W) of three channels (H, W, 3); faster than NumPy's."""
    return cast(Map, cv2.transform(values, np.full((1, 3), 1 / 3, np.float32)))


def resized_flow(flow: Map, size: tuple[int, int]) -> Map:
    """Return a flow for images of another size, (width, height)."""
    factors = np.float32([size[0] / flow.shape[1], size[1] / flow.shape[0]])  # type: ignore[arg-type]
    return cast(Map, cv2.resize(flow, size) * factors)


def gradient(image: ImageArray) -> Map:
    """Return the length of the gradient (H, W) of an image (H, W), in levels per pixel."""
    x, y = (cv2.Sobel(image, cv2.CV_32F, *order) / 8 for order in ((1, 0), (0, 1)))
    return cast(Map, cv2.magnitude(x, y))


def blur(values: NDArray[np.floating], sigma: float) -> Map:
    """Blur by a Gaussian with a standard deviation in pixels; wide ones on a smaller image."""
    values = values.astype(np.float32)
    factor = int(sigma / _FINEST)
    if factor < 2:
        return cast(Map, cv2.GaussianBlur(values, (0, 0), sigma))
    height, width = values.shape[:2]
    size = max(1, width // factor), max(1, height // factor)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return cast(Map, cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / factor), (width, height)))
