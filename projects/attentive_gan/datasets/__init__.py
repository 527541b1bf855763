"""Data sets of rainy and clean pictures, and the steps that make a training sample of a pair."""

from __future__ import annotations

from .drawn_dataset import DrawnDatasetOptions, draw_dataset, is_complete
from .draws import Draw, seeded
from .masks import MaskRule, raindrop_mask
from .pair_dataset import PairDataset
from .pair_reading import PairCache, read_pair
from .pairing import Fault, Pair
from .raindrop_dataset import ConcatenatedPairDataset, PairFolderDataset, RaindropDataset
from .transforms import LoadRainyCleanPair, PairedCrop, PairedFlip, RaindropMask

__all__ = [
    'ConcatenatedPairDataset',
    'Draw',
    'DrawnDatasetOptions',
    'Fault',
    'LoadRainyCleanPair',
    'MaskRule',
    'Pair',
    'PairCache',
    'PairDataset',
    'PairFolderDataset',
    'PairedCrop',
    'PairedFlip',
    'RaindropDataset',
    'RaindropMask',
    'draw_dataset',
    'is_complete',
    'raindrop_mask',
    'read_pair',
    'seeded',
]
