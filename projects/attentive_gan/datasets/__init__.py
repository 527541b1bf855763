"""Data sets of rainy and clean images, their samplers and data loaders; transforms are in `transforms`."""

from __future__ import annotations

from . import transforms
from .clean_dataset import CleanImageDataset, DrawnSceneDataset
from .image_dataset import ImageDataset
from .pair_dataset import PairDataset
from .pair_list_dataset import PairListDataset
from .pooled_dataloader import PooledDataLoader
from .raindrop_clarity_dataset import RaindropClarityDataset
from .raindrop_dataset import ConcatenatedPairDataset, PairFolderDataset, RaindropDataset
from .rainds_dataset import RainDSDataset
from .samplers import SeededSampler, SharesSampler

__all__ = [
    'CleanImageDataset',
    'ConcatenatedPairDataset',
    'DrawnSceneDataset',
    'ImageDataset',
    'PairDataset',
    'PairFolderDataset',
    'PairListDataset',
    'PooledDataLoader',
    'RainDSDataset',
    'RaindropClarityDataset',
    'RaindropDataset',
    'SeededSampler',
    'SharesSampler',
    'transforms',
]
