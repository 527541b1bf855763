"""Transforms of samples: loading, rendering of raindrops, crops, flips, colours, packing."""

from __future__ import annotations

from .aug_pixel import PairedColourJitter
from .aug_shape import PairedFlip, PairedScale, ResizeToCover
from .crop import PairedCrop
from .formatting import PackPair, collate_pairs
from .loading import LoadCleanImage, LoadRainyCleanPair
from .raindrop_mask import RaindropMask
from .rendering import RenderBlobs, RenderPairs, RenderRaindrops

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
