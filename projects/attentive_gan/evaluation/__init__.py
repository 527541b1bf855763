"""Image quality metrics: PSNR and SSIM protocols, and the metric that a config names.

`RaindropScores` needs MMagic and is imported when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .protocols import PROTOCOLS, Protocol, psnr, score_image

if TYPE_CHECKING:
    from .raindrop_scores import RaindropScores, mean_scores, saved_image

__all__ = [
    'PROTOCOLS',
    'Protocol',
    'RaindropScores',
    'mean_scores',
    'psnr',
    'saved_image',
    'score_image',
]


def __getattr__(name: str) -> Any:
    if name in ('RaindropScores', 'mean_scores', 'saved_image'):
        return getattr(importlib.import_module('.raindrop_scores', __name__), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
