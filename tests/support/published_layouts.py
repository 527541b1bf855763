"""Data sets of random images in published layouts; docs/datasets.md has the sources."""

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
    """Write all four parts: a folder for each scene in Drop, Blur and Clear.

    The second image of a scene is focused on the background: Blur equals Clear.
    """
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
                    sharp = kind == 'Blur' and number == 2
                    save(path, 10_000 * (0 if sharp else seed) + 100 * scene + number)
    return root


def write_rainds(root: Path, real: tuple[int, ...] = (2, 3, 218), rendered: int = 3) -> Path:
    """Write RainDS_real with plain names, and RainDS_syn with and without `pie-`."""
    for split in ('train_set', 'test_set'):
        for seed, folder in enumerate(RAINDS):
            for number in real:
                save(root / 'RainDS_real' / split / folder / f'{number}.png', 1000 * seed + number)
    save(root / 'RainDS_real' / 'test_set' / 'rainstreak' / 'IMG_7435.png', 7)  # published so
    for split in ('train', 'test'):
        for seed, (folder, prefix) in enumerate(RAINDS.items()):
            for number in range(rendered):
                for start in ('', 'pie-'):
                    name = f'{start}{prefix}-{number}.png'
                    save(root / 'RainDS_syn' / split / folder / name, 1000 * seed + number)
    return root


def write_raindrop(root: Path, train: int = 3, test: int = 2) -> Path:
    """Write train, test_a (PNG) and test_b (JPEG), with numbers of different length."""
    for split, count, suffix in (
        ('train', train, 'png'),
        ('test_a', test, 'png'),
        ('test_b', 4, 'jpg'),
    ):
        for place, number in enumerate((0, 7, 12, 101)[:count]):
            seed = 100 * len(split) + place
            save(root / split / 'gt' / f'{number}_clean.{suffix}', seed)
            save(root / split / 'data' / f'{number}_rain.{suffix}', seed + 10_000)
    return root


def write_input_target(root: Path, train: int = 3, test: int = 2) -> Path:
    """Write {train,test}/{input,target} with equal names, as UAV-Rain1k and LHP-Rain have them."""
    for split, count in (('train', train), ('test', test)):
        for number in range(1, count + 1):
            save(root / split / 'target' / f'{number}.png', number)
            save(root / split / 'input' / f'{number}.png', number + 10_000)
    return root


#: Names of All-Weather: raindrops, rain with mist, snow.
ALLWEATHER = ('0_rain.jpg', '12_rain.jpg', 'im_0001_s80_a04.png', 'beautiful_smile_00003.jpg')


def write_allweather(root: Path) -> Path:
    """Write TransWeather's `data` folder: lists beside folders, clean images of equal names or `_clean`."""
    lists = {'train/allweather.txt': [], 'test/raindroptesta.txt': []}
    for place, name in enumerate(ALLWEATHER):
        save(root / 'train' / 'allweather' / 'gt' / name, place)
        save(root / 'train' / 'allweather' / 'input' / name, place + 10_000)
        lists['train/allweather.txt'].append(f'./allweather/input/{name}')
    for number in (801, 802, 803):
        save(root / 'test' / 'raindrop' / 'gt' / f'{number}_clean.png', number)
        save(root / 'test' / 'raindrop' / 'input' / f'{number}_rain.png', number + 10_000)
        lists['test/raindroptesta.txt'].append(f'raindrop/input/{number}_rain.png')
    for name, lines in lists.items():
        (root / name).write_text('\n'.join(lines) + '\n')
    return root
