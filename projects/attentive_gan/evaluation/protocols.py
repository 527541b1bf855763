"""PSNR and SSIM under named protocols; a figure without its protocol cannot be compared.

Published scores of the Raindrop data set use two luma scales whose PSNRs differ by
20 log10(255 / 219) = 1.32 dB. All protocols take 8-bit images, the form in which images are saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.utils.types import ImageArray

Plane = NDArray[Any]

#: Largest value of an 8-bit image, the peak of every PSNR.
PEAK = 255.0
#: Images are cropped at the bottom and right to a multiple of this, as in the paper's code.
CROP_MULTIPLE = 4
#: Shortest side in pixels: the 11-pixel window of SSIM, after the crop.
SMALLEST_SIDE = 12


def psnr(pred: NDArray[Any], gt: NDArray[Any], data_range: float = PEAK) -> float:
    """Compute the peak signal-to-noise ratio 10 log10(data_range^2 / mean((pred - gt)^2)).

    Args:
        pred: Predicted image, any shape.
        gt: Ground truth of the same shape.
        data_range: Largest possible value.

    Returns:
        PSNR in dB; infinite for equal images.

    Example:
        >>> gt = np.full((8, 8, 3), 100, np.uint8)
        >>> round(psnr(gt + np.uint8(1), gt), 2)  # 20 log10(255)
        48.13
        >>> psnr(gt, gt)
        inf
    """
    error = float(np.mean((pred.astype(np.float64) - gt.astype(np.float64)) ** 2))
    return float('inf') if error == 0 else float(10 * np.log10(data_range**2 / error))


def uniform_ssim(pred: Plane, gt: Plane) -> float:
    """Compute SSIM with scikit-image's defaults: 7x7 uniform window, sample covariance.

    Args:
        pred: Predicted luma (H, W) in [0, 255].
        gt: Ground truth of the same shape.

    Returns:
        Mean over the windows inside the image, at most 1.
    """
    from skimage.metrics import structural_similarity

    return float(structural_similarity(pred, gt, data_range=PEAK))


def gaussian_ssim(pred: Plane, gt: Plane) -> float:
    """Compute SSIM with an 11x11 Gaussian window of sigma 1.5 (Wang et al. 2004).

    Args:
        pred: Predicted luma (H, W) or image (H, W, C) in [0, 255].
        gt: Ground truth of the same shape.

    Returns:
        Mean over channels and the windows inside the image, at most 1.
    """
    from skimage.metrics import structural_similarity

    _, values = structural_similarity(
        pred, gt, data_range=PEAK, gaussian_weights=True, sigma=1.5, truncate=3.5,
        use_sample_covariance=False, full=True, channel_axis=2 if pred.ndim == 3 else None,
    )  # fmt: skip
    return float(values[5:-5, 5:-5].mean())


def full_range_luma(image: ImageArray) -> Plane:
    """Return OpenCV's 8-bit luma in [0, 255]: 0.299 R + 0.587 G + 0.114 B, rounded.

    Args:
        image: RGB (H, W, 3).

    Returns:
        (H, W) uint8.
    """
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YCrCb)[..., 0]


def limited_range_luma(image: ImageArray) -> Plane:
    """Return the luma of ITU-R BT.601 in [16, 235], not rounded.

    Args:
        image: RGB (H, W, 3).

    Returns:
        (H, W) float64.

    Example:
        >>> limited_range_luma(np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)).round(6)
        array([[ 16., 235.]])
    """
    weights = np.array([65.481, 128.553, 24.966]) / 255
    return image.astype(np.float64) @ weights + 16


@dataclass(frozen=True)
class Protocol:
    """One way to compare a restored image with the clean one.

    Attributes:
        name: Short name, part of every key and column.
        description: What is compared, in one line.
        source: Whose code scores this way.
        planes: Converts an RGB image (H, W, 3) uint8 to what is compared, (H, W) or (H, W, 3).
        similarity: SSIM of two such arrays.

    Example:
        >>> gt = np.full((16, 16, 3), 100, np.uint8)
        >>> round(PROTOCOLS['qian'].psnr(gt + np.uint8(10), gt), 2)  # 20 log10(255 / 10)
        28.13
        >>> round(PROTOCOLS['bt601'].psnr(gt + np.uint8(10), gt), 2)  # 20 log10(255 / 219) more
        29.45
        >>> PROTOCOLS['rgb'].ssim(gt, gt)
        1.0
    """

    name: str
    description: str
    source: str
    planes: Callable[[ImageArray], Plane]
    similarity: Callable[[Plane, Plane], float]

    def psnr(self, pred: ImageArray, gt: ImageArray) -> float:
        """Return the PSNR in dB; infinite for equal images.

        Args:
            pred: Restored image, RGB (H, W, 3) uint8.
            gt: Clean image of the same shape.

        Raises:
            ValueError: The images cannot be compared, see `check_images`.
        """
        return psnr(*self._prepare(pred, gt))

    def ssim(self, pred: ImageArray, gt: ImageArray) -> float:
        """Return the structural similarity, at most 1; arguments and errors as in `psnr`."""
        return self.similarity(*self._prepare(pred, gt))

    def _prepare(self, pred: ImageArray, gt: ImageArray) -> tuple[Plane, Plane]:
        """Check, crop and convert a pair to float64."""
        check_images(pred, gt)
        height, width = (side - side % CROP_MULTIPLE for side in gt.shape[:2])
        first, second = (self.planes(image[:height, :width]) for image in (pred, gt))
        return first.astype(np.float64), second.astype(np.float64)


def check_images(pred: ImageArray, gt: ImageArray) -> None:
    """Refuse images that cannot be compared.

    Raises:
        ValueError: Not (H, W, 3) uint8, of unequal shapes, or a side shorter than `SMALLEST_SIDE`.
    """
    for name, image in (('restored', pred), ('clean', gt)):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f'the {name} image must be (H, W, 3) uint8, not {image.shape} {image.dtype}'
            )
    height, width = gt.shape[:2]
    if pred.shape != gt.shape:
        raise ValueError(
            f'the restored image is {pred.shape[1]}x{pred.shape[0]}, the clean one '
            f'{width}x{height}; they must have the same size'
        )
    if min(height, width) < SMALLEST_SIDE:
        raise ValueError(
            f'{width}x{height} is too small to score; at least {SMALLEST_SIDE}x{SMALLEST_SIDE}'
        )


#: All protocols by name.
PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            'qian',
            '8-bit full-range luma; SSIM with scikit-image defaults (7x7 uniform window)',
            'rui1996/DeRaindrop, metrics.py (the paper); IDT, DuRN',
            full_range_luma,
            uniform_ssim,
        ),
        Protocol(
            'bt601',
            'limited-range luma in float; SSIM with an 11x11 Gaussian window',
            "MMagic convert_to='Y', WeatherDiffusion, BasicSR; PSNR 1.32 dB above qian",
            limited_range_luma,
            gaussian_ssim,
        ),
        Protocol(
            'rgb',
            'red, green and blue; SSIM with an 11x11 Gaussian window, mean of channels',
            'MMagic without convert_to',
            lambda image: image,
            gaussian_ssim,
        ),
    )
}


def score_image(
    pred: ImageArray, gt: ImageArray, protocols: Iterable[str] = PROTOCOLS
) -> dict[str, float]:
    """Score a restored image under several protocols.

    Args:
        pred: Restored image, RGB (H, W, 3) uint8.
        gt: Clean image of the same shape.
        protocols: Names in `PROTOCOLS`.

    Returns:
        `<protocol>_psnr` in dB and `<protocol>_ssim`.

    Raises:
        ValueError: The images cannot be compared, see `check_images`.

    Example:
        >>> gt = np.full((12, 12, 3), 100, np.uint8)
        >>> score_image(gt, gt, ['qian'])
        {'qian_psnr': inf, 'qian_ssim': 1.0}
    """
    scores = {}
    for name in protocols:
        scores[f'{name}_psnr'] = PROTOCOLS[name].psnr(pred, gt)
        scores[f'{name}_ssim'] = PROTOCOLS[name].ssim(pred, gt)
    return scores
