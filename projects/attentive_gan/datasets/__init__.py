"""Data sets of rainy and clean images, and the steps that make a training sample of a pair."""

from __future__ import annotations

from attentive_gan.rendering.masks import MaskRule, raindrop_mask

from .augmentation import PairedColourJitter, PairedScale
from .calibration_files import (
    calibration_table,
    read_calibration,
    real_pairs,
    write_calibration,
)
from .checking import CheckResult, check, splits_of
from .clean_dataset import CleanImageDataset, DrawnSceneDataset
from .clean_images import DrawnScene, photos_below
from .draws import Draw, seeded
from .image_cache import ImageCache
from .image_dataset import ImageDataset
from .image_pool import CropOptions, ImagePool
from .inspection import PairRecord, inspect_pair
from .manifest import read_manifest, write_manifest
from .pair_batches import PackPair, RenderPairs, collate_pairs
from .pair_dataset import PairDataset
from .pair_reading import read_pair
from .pairing import Fault, Pair
from .raindrop_dataset import ConcatenatedPairDataset, PairFolderDataset, RaindropDataset
from .render_jobs import CleanSource
from .rendered_dataset import (
    RenderedDatasetOptions,
    RenderResult,
    photo_sources,
    render_dataset,
    scene_sources,
)
from .rendering_transforms import CoverSize, LoadCleanImage, RenderBlobs, RenderRaindrops
from .sheets import pair_sheet, sample_row, sample_sheets
from .transforms import LoadRainyCleanPair, PairedCrop, PairedFlip, RaindropMask

__all__ = [
    'CheckResult',
    'CleanImageDataset',
    'CleanSource',
    'ConcatenatedPairDataset',
    'CoverSize',
    'CropOptions',
    'Draw',
    'DrawnScene',
    'DrawnSceneDataset',
    'Fault',
    'ImageCache',
    'ImageDataset',
    'ImagePool',
    'LoadCleanImage',
    'LoadRainyCleanPair',
    'MaskRule',
    'PackPair',
    'Pair',
    'PairDataset',
    'PairFolderDataset',
    'PairRecord',
    'PairedColourJitter',
    'PairedCrop',
    'PairedFlip',
    'PairedScale',
    'RaindropDataset',
    'RaindropMask',
    'RenderBlobs',
    'RenderPairs',
    'RenderRaindrops',
    'RenderResult',
    'RenderedDatasetOptions',
    'calibration_table',
    'check',
    'collate_pairs',
    'inspect_pair',
    'pair_sheet',
    'photo_sources',
    'photos_below',
    'raindrop_mask',
    'read_calibration',
    'read_manifest',
    'read_pair',
    'real_pairs',
    'render_dataset',
    'sample_row',
    'sample_sheets',
    'scene_sources',
    'seeded',
    'splits_of',
    'write_calibration',
    'write_manifest',
]
