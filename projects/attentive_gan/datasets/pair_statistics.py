"""Five statistics of a rainy image and its clean partner, to compare renderings with real pairs.

Filter widths and thresholds are set so that four published training pairs of Qian et al. (2018) give the
figures of docs/rendering.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError
from attentive_gan.evaluation.protocols import psnr
from attentive_gan.utils.types import ImageArray

from .masks import MaskRule, raindrop_mask

#: Standard deviation in pixels of the Gaussian below which detail counts as fine.
_FINE = 1.5

#: Standard deviation in pixels of the Gaussian over which the energy of detail is gathered.
_LOCAL = 6.0

#: Least local energy of the clean image's detail, in squared grey levels, where a ratio is taken:
#: below it is the noise of the camera.
_TEXTURED = 10.0


@dataclass(frozen=True)
class RaindropStatistics:
    """Strength of the raindrops of an image; None where a number is not defined."""

    psnr: float | None
    """PSNR of the rainy image over RGB in dB; None where both images are equal."""
    mask_coverage: float
    """Share of the pixels that the mask marks, without dilation, 0 to 1."""
    detail_ratio: float | None
    """Fine detail of the rainy image as a share of the clean one's, median over the image; None where
    the clean one has no texture."""
    detail_ratio_p10: float | None
    """The same, 10th percentile: at the drops."""
    brighter_share: float | None
    """Share of the mask in which the rainy image is brighter, 0 to 1; None without a mask."""


def raindrop_statistics(
    rainy: ImageArray, clean: ImageArray, threshold: int = 30, rule: MaskRule = 'mean'
) -> RaindropStatistics:
    """Measure a pair.

    Fine detail is the grey image less its Gaussian blur of 1.5 pixels; its energy is gathered by a
    Gaussian of 6 pixels, and the ratio is the square root of rainy over clean where the clean energy is
    above 10 squared grey levels. The brighter share is taken where the value (the largest channel) differs
    by more than the threshold, after an opening by 3x3 pixels that removes noise.

    Args:
        rainy: RGB image (H, W, 3), uint8.
        clean: RGB image (H, W, 3), uint8.
        threshold: Largest difference that is not marked, 0 to 255.
        rule: How three channels become one for `mask_coverage` (see `raindrop_mask`).

    Raises:
        UserError: The images differ in size, or the threshold or the rule is out of its range.

    Example:
        >>> clean = np.full((20, 20, 3), 100, np.uint8)
        >>> rainy = clean.copy()
        >>> rainy[:10, :10] = 200
        >>> statistics = raindrop_statistics(rainy, clean)
        >>> round(statistics.psnr, 2), statistics.mask_coverage, statistics.brighter_share
        (14.15, 0.25, 1.0)
    """
    coverage = float(np.mean(raindrop_mask(rainy, clean, threshold, rule, dilation=1) > 0))
    greys = [_grey(image) for image in (rainy, clean)]
    median, low = _detail_ratio(*greys)
    changed = cv2.absdiff(*(_value(image) for image in (rainy, clean)))
    changed = cv2.threshold(changed, threshold, 255, cv2.THRESH_BINARY)[1]
    marked = cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    brighter = cv2.bitwise_and(marked, cv2.compare(greys[0], greys[1], cv2.CMP_GT))
    count = cv2.countNonZero(marked)
    return RaindropStatistics(
        psnr=None if np.array_equal(rainy, clean) else psnr(rainy, clean),
        mask_coverage=coverage,
        detail_ratio=median,
        detail_ratio_p10=low,
        brighter_share=cv2.countNonZero(brighter) / count if count else None,
    )


def spread(statistics: Sequence[RaindropStatistics]) -> dict[str, dict[str, float | None]]:
    """Return the 10th, 50th and 90th percentile and the mean of each statistic over images.

    Args:
        statistics: One record per image; numbers that are not defined are left out.

    Returns:
        By the name of the statistic, `p10`, `p50`, `p90` and `mean`; None where no image has a number.

    Raises:
        UserError: There are no images.
    """
    if not statistics:
        raise UserError('Statistics need at least one image.')
    result: dict[str, dict[str, float | None]] = {}
    for field in fields(RaindropStatistics):
        found = [getattr(one, field.name) for one in statistics]
        values = [value for value in found if value is not None]
        if values:
            low, middle, high = (float(v) for v in np.percentile(values, [10, 50, 90]))
            mean = float(np.mean(values))
            result[field.name] = {'p10': low, 'p50': middle, 'p90': high, 'mean': mean}
        else:
            result[field.name] = dict.fromkeys(('p10', 'p50', 'p90', 'mean'))
    return result


def _grey(image: ImageArray) -> ImageArray:
    """Return the luma of each pixel (H, W), rounded."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def _value(image: ImageArray) -> ImageArray:
    """Return the largest channel of each pixel (H, W)."""
    red, green, blue = cv2.split(image)
    return cv2.max(cv2.max(red, green), blue).astype(np.uint8, copy=False)


def _detail_ratio(rainy: ImageArray, clean: ImageArray) -> tuple[float, float] | tuple[None, None]:
    """Return median and 10th percentile of the local ratio of fine detail of two grey images."""
    energy = [_detail_energy(grey) for grey in (rainy, clean)]
    textured = energy[1] > _TEXTURED
    if not textured.any():
        return None, None
    ratio = np.sqrt(energy[0][textured] / energy[1][textured])
    middle, low = np.percentile(ratio, [50, 10])
    return float(middle), float(low)


def _detail_energy(grey: ImageArray) -> NDArray[np.float32]:
    """Return the local energy of fine detail (H, W), in squared grey levels."""
    level = grey.astype(np.float32)
    detail = level - cv2.GaussianBlur(level, (0, 0), _FINE)
    energy = cv2.GaussianBlur(detail * detail, (0, 0), _LOCAL)
    return np.maximum(energy, 0).astype(np.float32)
