"""How restored images are scored."""

from __future__ import annotations

from .protocols import PROTOCOLS, Protocol
from .raindrop_scores import RaindropScores, mean_scores, saved_image

__all__ = ['PROTOCOLS', 'Protocol', 'RaindropScores', 'mean_scores', 'saved_image']
