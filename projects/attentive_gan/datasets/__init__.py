"""Data sets of rainy and clean pictures, and the steps that make a training sample of a pair."""

from __future__ import annotations

from .checking import CheckResult, check, splits_of
from .drawn_dataset import DrawnDatasetOptions, draw_dataset, is_complete
from .draws import Draw, seeded
from .inspection import PairRecord, inspect_pair
from .manifest import read_manifest, write_manifest
from attentive_gan.rendering.masks import MaskRule, raindrop_mask
from .pair_dataset import PairDataset
from .pair_reading import PairCache, read_pair
from .pairing import Fault, Pair
from .raindrop_dataset import ConcatenatedPairDataset, PairFolderDataset, RaindropDataset
from .sheets import pair_sheet, sample_row, sample_sheets
from .transforms import LoadRainyCleanPair, PairedCrop, PairedFlip, RaindropMask

__all__ = [
    'CheckResult',
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
    'PairRecord',
    'PairedCrop',
    'PairedFlip',
    'RaindropDataset',
    'RaindropMask',
    'check',
    'draw_dataset',
    'inspect_pair',
    'is_complete',
    'pair_sheet',
    'raindrop_mask',
    'read_manifest',
    'read_pair',
    'sample_row',
    'sample_sheets',
    'seeded',
    'splits_of',
    'write_manifest',
]
