"""Data sets of rainy and clean images, their transforms, samplers and data loaders."""

from __future__ import annotations

from .clean_dataset import CleanImageDataset, DrawnSceneDataset
from .image_dataset import ImageDataset
from .pair_dataset import PairDataset
from .pooled_dataloader import PooledDataLoader
from .raindrop_dataset import ConcatenatedPairDataset, PairFolderDataset, RaindropDataset
from .samplers import SeededSampler
from .transforms import (
    LoadCleanImage,
    LoadRainyCleanPair,
    PackPair,
    PairedColourJitter,
    PairedCrop,
    PairedFlip,
    PairedScale,
    RaindropMask,
    RenderBlobs,
    RenderPairs,
    RenderRaindrops,
    ResizeToCover,
    collate_pairs,
)

__all__ = [
    'CleanImageDataset',
    'ConcatenatedPairDataset',
    'DrawnSceneDataset',
    'ImageDataset',
    'LoadCleanImage',
    'LoadRainyCleanPair',
    'PackPair',
    'PairDataset',
    'PairFolderDataset',
    'PairedColourJitter',
    'PairedCrop',
    'PairedFlip',
    'PairedScale',
    'PooledDataLoader',
    'RaindropDataset',
    'RaindropMask',
    'RenderBlobs',
    'RenderPairs',
    'RenderRaindrops',
    'ResizeToCover',
    'SeededSampler',
    'collate_pairs',
]
