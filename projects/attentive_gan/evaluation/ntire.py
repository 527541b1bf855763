"""The score of the NTIRE challenges on raindrop removal (2025, 2026): PSNR, SSIM and LPIPS in one number.

Source: reports of the NTIRE 2025 and 2026 challenges on day and night raindrop removal. Luma is that of
BasicSR's `test_y_channel`, the protocol `bt601`.
"""

from __future__ import annotations

from collections.abc import Callable

from attentive_gan.utils.types import ImageArray

from .protocols import PROTOCOLS

#: Name of the protocol in configs.
NTIRE = 'ntire'
#: Weights of SSIM and LPIPS beside the PSNR in dB.
SSIM_WEIGHT, LPIPS_WEIGHT = 10.0, 5.0
#: What is computed, in one line.
DESCRIPTION = (
    'score = PSNR + 10 SSIM - 5 LPIPS, PSNR and SSIM as bt601; without LPIPS it is named '
    'score_without_lpips and lies above the score'
)

#: Distance of two images, RGB (H, W, 3) uint8.
Distance = Callable[[ImageArray, ImageArray], float]


def ntire_scores(pred: ImageArray, gt: ImageArray, lpips: Distance | None) -> dict[str, float]:
    """Score a restored image as the NTIRE challenges do.

    Args:
        pred: Restored image, RGB (H, W, 3) uint8.
        gt: Clean image of the same shape.
        lpips: LPIPS with AlexNet, or None where its weights are missing.

    Returns:
        `ntire_psnr`, `ntire_ssim` and, with LPIPS, `ntire_lpips` and `ntire_score`; else
        `ntire_score_without_lpips`, which cannot be compared with a score.

    Raises:
        ValueError: The images cannot be compared, see `check_images`.

    Example:
        >>> import numpy as np
        >>> gt = np.full((12, 12, 3), 100, np.uint8)
        >>> scores = ntire_scores(gt + np.uint8(10), gt, None)
        >>> round(scores['ntire_psnr'], 2), sorted(scores)[1]
        (29.45, 'ntire_score_without_lpips')
    """
    luma = PROTOCOLS['bt601']
    psnr, ssim = luma.psnr(pred, gt), luma.ssim(pred, gt)
    scores = {'ntire_psnr': psnr, 'ntire_ssim': ssim}
    if lpips is None:
        return {**scores, **combined_score(psnr, ssim, None)}
    distance = lpips(pred, gt)
    return {**scores, 'ntire_lpips': distance, **combined_score(psnr, ssim, distance)}


def combined_score(psnr: float, ssim: float, lpips: float | None) -> dict[str, float]:
    """Return the score of an image by its name, which tells whether LPIPS is part of it.

    Args:
        psnr: PSNR under `bt601` in dB.
        ssim: SSIM under `bt601`.
        lpips: LPIPS with AlexNet, or None.

    Example:
        >>> combined_score(28.34, 0.827, 0.273)  # the first of 2026, reported as 35.24
        {'ntire_score': 35.245}
        >>> combined_score(28.34, 0.827, None)
        {'ntire_score_without_lpips': 36.61}
    """
    partial = psnr + SSIM_WEIGHT * ssim
    if lpips is None:
        return {'ntire_score_without_lpips': partial}
    return {'ntire_score': partial - LPIPS_WEIGHT * lpips}
