"""Transforms of samples: loading, rendering of raindrops, crops, flips, colours, packing."""

from __future__ import annotations

from .augmentation import PairedColourJitter, PairedScale
from .pair_batches import PackPair, RenderPairs, collate_pairs
from .paired import LoadRainyCleanPair, PairedCrop, PairedFlip, RaindropMask
from .rendering import LoadCleanImage, RenderBlobs, RenderRaindrops, ResizeToCover

__all__ = [
    'LoadCleanImage',
    'LoadRainyCleanPair',
    'PackPair',
    'PairedColourJitter',
    'PairedCrop',
    'PairedFlip',
    'PairedScale',
    'RaindropMask',
    'RenderBlobs',
    'RenderPairs',
    'RenderRaindrops',
    'ResizeToCover',
    'collate_pairs',
]
