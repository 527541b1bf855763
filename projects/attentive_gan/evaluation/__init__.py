"""Image quality metrics: PSNR and SSIM protocols, and the metric that a config names.

`raindrop_scores` needs MMagic; everything imported here needs NumPy, OpenCV and scikit-image only.
"""

from __future__ import annotations

from .protocols import PROTOCOLS, Protocol, psnr, score_image

__all__ = ['PROTOCOLS', 'Protocol', 'psnr', 'score_image']
