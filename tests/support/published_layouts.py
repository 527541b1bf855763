"""Data sets of random images in the layouts in which they are published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

#: Beginnings of the names of RainDS's rendered images, by folder.
RAINDS = {'gt': 'norain', 'raindrop': 'rd', 'rainstreak': 'rain', 'rainstreak_raindrop': 'rd-rain'}


def save(path: Path, seed: int, size: tuple[int, int] = (40, 48)) -> None:
    """Write a random image (height, width); rain is a difference of one seed."""
    image = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def write_raindrop_clarity(root: Path, scenes: int = 2, images: int = 3) -> Path:
    """Write all four parts: a folder for each scene in Drop, Blur and Clear."""
    for part in (
        'DayRainDrop_Train',
        'NightRainDrop_Train',
        'DayRainDrop_Test',
        'NightRainDrop_Test',
    ):
        for scene in range(1, scenes + 1):
            for number in range(1, images + 1):
                for seed, kind in enumerate(('Clear', 'Drop', 'Blur')):
                    path = root / part / kind / f'{scene:05d}' / f'{number:05d}.png'
                    save(path, 10_000 * seed + 100 * scene + number)
    return root


def write_rainds(root: Path, real: tuple[int, ...] = (2, 3, 218), rendered: int = 3) -> Path:
    """Write RainDS_real with plain names, and RainDS_syn with and without `pie-`."""
    for split in ('train_set', 'test_set'):
        for seed, folder in enumerate(RAINDS):
            for number in real:
                save(root / 'RainDS_real' / split / folder / f'{number}.png', 1000 * seed + number)
    for split in ('train', 'test'):
        for seed, (folder, prefix) in enumerate(RAINDS.items()):
            for number in range(rendered):
                for start in ('', 'pie-'):
                    name = f'{start}{prefix}-{number}.png'
                    save(root / 'RainDS_syn' / split / folder / name, 1000 * seed + number)
    return root
