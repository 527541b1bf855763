"""Training pairs in one array, made from clean images in worker processes. NumPy and OpenCV only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import RaindropOptionError
from .exact import smooth_field
from .options import RaindropOptions
from .parameters import RANGES
from .raindrops import render_raindrops
from .sampling import is_night, sample_parameters

#: Largest values of some options; the smallest is 0.
_LARGEST = {'dry_share': 1, 'jpeg_share': 1, 'defocus_share': 1, 'white_balance': 0.5}


@dataclass(frozen=True)
class PairOptions:
    """How a clean image is varied before and after raindrops are rendered; ranges are (low, high).

    Raises:
        RaindropOptionError: A value is out of its range; the message names it.
    """

    raindrops: RaindropOptions = field(default_factory=RaindropOptions)
    """Distribution of the raindrops; its `frame_width` is replaced by the field below."""
    frame_width: tuple[float, float] = (600, 1000)
    """Width in pixels of the camera's whole frame, to which the size of drops is relative; 16 or more."""
    dry_share: float = 0.0
    """Share of the pairs without raindrops (the rainy image is the clean one), 0 to 1."""
    sharp_target: bool = False
    """Whether the clean image is sharp where the camera is focused on the drops; otherwise it is as blurred
    there as the scene in the rainy image, so that a network need not invent detail."""
    exposure: tuple[float, float] = (0.35, 1.8)
    """Factor of the clean image's linear light before raindrops are rendered, above 0 to 8."""
    white_balance: float = 0.15
    """Largest change of red and of blue against green, as a share, in linear light, 0 to 0.5. Like the
    exposure it changes rainy and clean image alike."""
    defocus_share: float = 0.12
    """Share of the pairs whose clean image is blurred before raindrops are rendered, wholly or in a part of
    it, 0 to 1. Both images are, so that a network does not take soft bright parts of a scene for drops."""
    defocus: tuple[float, float] = (0.002, 0.016)
    """Radius of that blur as a share of the frame's width, 0 to 0.1."""
    sharpening: tuple[float, float] = (-0.8, 0.8)
    """How much of the difference from a blur of 1 pixel is added to both images, as cameras do, -2 to 2;
    a draw below 0 adds nothing."""
    jpeg_share: float = 0.3
    """Share of the pairs that JPEG compresses, 0 to 1. Both images are, with one quality, so that parts
    without raindrops stay equal in both."""
    jpeg_quality: tuple[int, int] = (60, 95)
    """Quality of that compression, 1 to 100."""

    def __post_init__(self) -> None:
        for name, (least, most) in {
            'frame_width': (16, 1e6),
            'exposure': (1e-3, 8),
            'jpeg_quality': (1, 100),
            'defocus': (0, 0.1),
            'sharpening': (-2, 2),
        }.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise RaindropOptionError(
                    f'{name} must be (low, high) within {least} to {most}; got {(low, high)}.'
                )
        for name, largest in _LARGEST.items():
            if not 0 <= getattr(self, name) <= largest:
                raise RaindropOptionError(
                    f'{name} must be within 0 to {largest}; got {getattr(self, name)}.'
                )


class _Variation(NamedTuple):
    """Random values of one pair, drawn by `PairOptions`."""

    dry: bool
    frame_width: int
    gains: NDArray[np.float64]
    """Factors (3,) of linear red, green and blue."""
    quality: int | None
    """JPEG quality; None does not compress."""
    defocus: float
    """Radius of the clean image's blur in pixels; 0 leaves it."""
    sharpening: float
    """Share of the difference from a blur that is added; 0 adds nothing."""
    blurred_part: NDArray[np.float64] | None
    """Random values (4, 5) that decide which part is blurred; None for the whole."""


def render_pair(
    clean: NDArray[np.uint8], seed: int, options: PairOptions | None = None
) -> NDArray[np.uint8]:
    """Make a training pair of a clean image; equal arguments give equal bytes on one machine.

    The function depends on its arguments alone, and OpenCV's threads are not used: it may run in forked
    worker processes.

    Args:
        clean: RGB image (H, W, 3), uint8, at least 16x16.
        seed: Any number from 0 to 2**63 - 1.
        options: Distribution of the pairs; None for the defaults.

    Returns:
        (H, W, 7), uint8: rainy RGB, clean RGB, coverage by drops from 0 to 255.

    Raises:
        RaindropOptionError: The image is smaller than 16x16.
        ValueError: The array is not an RGB image.

    Example:
        >>> pair = render_pair(np.full((32, 48, 3), 90, np.uint8), seed=3)
        >>> pair.shape, pair.dtype
        ((32, 48, 7), dtype('uint8'))
    """
    options = options or PairOptions()
    threads = cv2.getNumThreads()
    if threads != 1:
        cv2.setNumThreads(1)
    try:
        return _pair(clean, seed, options)
    finally:
        if threads != 1:
            cv2.setNumThreads(threads)


def _pair(clean: NDArray[np.uint8], seed: int, options: PairOptions) -> NDArray[np.uint8]:
    variation = _sample_variation(seed, options)
    scene = _defocused(_exposed(clean, variation.gains), variation)
    if variation.dry:
        images, coverage = [scene], np.zeros(clean.shape[:2], np.uint8)
    else:
        lighting = options.raindrops.lighting
        night = lighting == 'night' or (lighting == 'auto' and is_night(clean))
        parameters = sample_parameters(seed, options.raindrops, night)
        # The light that colours the scene colours the sky beyond the frame too.
        red, green, blue = variation.gains
        low, high = RANGES['sky_warmth']
        warmth = parameters.sky_warmth + (red - blue) / green
        parameters = replace(parameters, sky_warmth=round(float(np.clip(warmth, low, high)), 4))
        made = render_raindrops(scene, parameters, variation.frame_width)
        target = scene
        if parameters.focus == 'drops' and not options.sharp_target:
            target = render_raindrops(
                scene, parameters.without_water(), variation.frame_width
            ).rainy
        images, coverage = [made.rainy, target], made.coverage
    if variation.sharpening:
        images = [_sharpened(image, variation.sharpening) for image in images]
    if variation.quality is not None:
        images = [_compressed(image, variation.quality) for image in images]
    # Many times faster than assignments to slices.
    return np.asarray(cv2.merge([images[0], images[-1], coverage]), np.uint8)


def _sample_variation(seed: int, options: PairOptions) -> _Variation:
    """Sample how the clean image is varied."""
    random = np.random.default_rng([seed, 9])
    exposure, frame_width = (
        float(np.exp(random.uniform(*np.log(limits))))
        for limits in (options.exposure, options.frame_width)
    )
    red, blue = 1 + options.white_balance * random.uniform(-1, 1, 2)
    dry, compressed = random.random(2) < (options.dry_share, options.jpeg_share)
    low, high = options.jpeg_quality
    quality = int(random.integers(low, high + 1))
    blurred, whole = random.random(2) < (options.defocus_share, 0.5)
    radius = random.uniform(*options.defocus) * frame_width
    part = random.random((4, 5))
    return _Variation(
        dry=bool(dry),
        frame_width=round(frame_width),
        gains=exposure * np.array([red, 1.0, blue]),
        quality=quality if compressed else None,
        defocus=radius if blurred else 0.0,
        sharpening=max(0.0, random.uniform(*options.sharpening)),
        blurred_part=None if whole else part,
    )


def _exposed(image: NDArray[np.uint8], gains: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Multiply linear light (gamma 2) of an RGB image by a factor per channel, and clip it."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f'an image must be uint8 (H, W, 3); got {image.dtype} {image.shape}')
    levels = np.round(np.arange(256)[:, None] * np.sqrt(gains), 6)
    table = np.minimum(np.rint(levels), 255).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(image), table[None]), np.uint8)


def _defocused(image: NDArray[np.uint8], variation: _Variation) -> NDArray[np.uint8]:
    """Blur an RGB image, or a part of it that ends softly."""
    # Two boxes of n pixels have the variance (n**2 - 1) / 6, a disc of radius b has b**2 / 4.
    size = 2 * round((np.sqrt(1.5 * variation.defocus**2 + 1) - 1) / 2) + 1
    if size == 1:
        return image
    blurred = cv2.blur(cv2.blur(image, (size, size)), (size, size))
    if variation.blurred_part is None:
        return np.asarray(blurred, np.uint8)
    down, across = (np.linspace(0, 1, side) for side in image.shape[:2])
    field = smooth_field(variation.blurred_part, down, across)
    share = np.clip(4 * (field - np.median(variation.blurred_part)) + 0.5, 0, 1).astype(np.float32)
    return np.asarray(cv2.blendLinear(blurred, image, share, 1 - share), np.uint8)


def _sharpened(image: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    """Add a share of the difference from a Gaussian blur of 1 pixel."""
    blurred = cv2.GaussianBlur(image, (5, 5), 1.0)
    return np.asarray(cv2.addWeighted(image, 1 + amount, blurred, -amount, 0), np.uint8)


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Compress by JPEG and read again."""
    swapped = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode('.jpg', swapped, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)  # type: ignore[arg-type]
