"""How restored pictures are scored."""

from __future__ import annotations

from .protocols import PROTOCOLS, Protocol
from .raindrop_scores import RaindropScores, mean_scores, saved_picture

__all__ = ['PROTOCOLS', 'Protocol', 'RaindropScores', 'mean_scores', 'saved_picture']
