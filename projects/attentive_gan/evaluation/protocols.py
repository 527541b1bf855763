"""PSNR and SSIM under named protocols; a figure without its protocol compares nothing.

Published scores of the Raindrop data set mix two luma scales whose PSNRs lie
20 log10(255 / 219) = 1.32 dB apart. All functions here take 8-bit images, because these are what
a restorer delivers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Largest value of an 8-bit image, the peak of all PSNRs.
PEAK = 255.0
#: Images are cropped at the bottom and right to a multiple of this, as the paper's code does.
CROP_MULTIPLE = 4


@dataclass(frozen=True)
class Protocol:
    """One way to score a restored image against the clean one."""

    name: str
    """Short name, part of every key and column."""
    description: str
    """What is compared, in one line."""
    source: str
    """Whose code scores this way."""
    planes: Callable[[np.ndarray], np.ndarray]
    """Turns an image (H, W, 3) uint8 in RGB into what is compared, (H, W) or (H, W, 3)."""
    similarity: Callable[[np.ndarray, np.ndarray], float]
    """SSIM of two such arrays."""

    def psnr(self, restored: np.ndarray, clean: np.ndarray) -> float:
        """Return the peak signal-to-noise ratio in dB; infinite for equal images.

        Args:
            restored: Restored image (H, W, 3) uint8 in RGB.
            clean: Clean image of the same shape.

        Raises:
            ValueError: The images are not alike, see `check_images`.
        """
        return psnr(*self._prepared(restored, clean))

    def ssim(self, restored: np.ndarray, clean: np.ndarray) -> float:
        """Return the structural similarity, at most 1.

        Args:
            restored: Restored image (H, W, 3) uint8 in RGB.
            clean: Clean image of the same shape.

        Raises:
            ValueError: The images are not alike, see `check_images`.
        """
        return self.similarity(*self._prepared(restored, clean))

    def _prepared(self, restored: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Check, crop and convert a pair; float64."""
        check_images(restored, clean)
        height, width = (side - side % CROP_MULTIPLE for side in clean.shape[:2])
        first, second = (self.planes(image[:height, :width]) for image in (restored, clean))
        return first.astype(np.float64), second.astype(np.float64)


def psnr(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Return the peak signal-to-noise ratio of two arrays of one shape with values in [0, 255], in dB.

    It is infinite for equal arrays.

    Example:
        >>> black = np.zeros((2, 2, 3), np.uint8)
        >>> psnr(black, black + 255)
        0.0
        >>> psnr(black, black)
        inf
    """
    error = float(np.mean((first.astype(np.float64) - second) ** 2))
    return float('inf') if error == 0 else float(10 * np.log10(PEAK**2 / error))


def check_images(restored: np.ndarray, clean: np.ndarray) -> None:
    """Refuse images that cannot be compared.

    Raises:
        ValueError: Not (H, W, 3) uint8, of unequal shapes, or a side shorter than 12 pixels (the
            11-pixel window of SSIM after the crop).
    """
    for name, image in (('restored', restored), ('clean', clean)):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f'the {name} image must be (H, W, 3) uint8, not {image.shape} {image.dtype}'
            )
    if restored.shape != clean.shape:
        raise ValueError(
            f'the restored image is {restored.shape[1]}x{restored.shape[0]}, the clean one '
            f'{clean.shape[1]}x{clean.shape[0]}; they must have the same size'
        )
    if min(clean.shape[:2]) < 12:
        raise ValueError(f'{clean.shape[1]}x{clean.shape[0]} is too small to score; at least 12x12')


def full_range_luma(image: np.ndarray) -> np.ndarray:
    """Return OpenCV's 8-bit luma in [0, 255], (H, W): 0.299 R + 0.587 G + 0.114 B, rounded."""
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2YCrCb)[..., 0]


def limited_range_luma(image: np.ndarray) -> np.ndarray:
    """Return the luma of ITU-R BT.601 in [16, 235], (H, W) float64, not rounded."""
    weights = np.array([65.481, 128.553, 24.966]) / 255
    return image.astype(np.float64) @ weights + 16


def uniform_ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Return scikit-image's default SSIM: 7x7 uniform window, sample covariance, no borders."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(first, second, data_range=PEAK))


def gaussian_ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Return SSIM with an 11x11 Gaussian, inner windows only (Wang et al. 2004), channels' mean."""
    from skimage.metrics import structural_similarity

    _, values = structural_similarity(
        first, second, data_range=PEAK, gaussian_weights=True, sigma=1.5, truncate=3.5,
        use_sample_covariance=False, full=True, channel_axis=2 if first.ndim == 3 else None,
    )  # fmt: skip
    return float(values[5:-5, 5:-5].mean())


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
