"""Drawn scenes and simple drops: repeatable, varied, and of the difficulty that training needs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import numpy as np
import photo_statistics
import pytest
from drawn_scenes.scenes import draw_scene

#: 10 and 90 % of 536 photos (BSDS500, Kodak, roads, four training images), see docs/scenes.md.
PHOTOS = {
    'slope of the power spectrum': (-2.95, -1.99),
    'kurtosis of the horizontal derivative': (7.11, 32.7),
    'share of derivatives below 2': (0.164, 0.587),
    'share of derivatives above 30': (0.0183, 0.134),
    'mean luminance': (74.6, 143),
    'spread of luminance': (29.8, 66.0),
    'share of pixels above 245': (0, 0.049),
    'share of pixels below 10': (0, 0.0122),
    'mean chroma': (19.4, 63.8),
    'correlation of red and blue': (0.509, 0.969),
    'correlation of red and green': (0.797, 0.99),
    'high-pass deviation at 1 px': (5.77, 14.9),
    'brighter top than bottom': (0, 1),
}

#: Hash of 20 scenes, found with NumPy 1.26 to 2.5 and OpenCV 4.11 and 5.0, with and without AVX.
DIGEST = '0cc133a683e1029b04681b132519920e2bb189c23fed9781891ecea9da112954'

#: Prints a hash of scenes with as few instructions of the processor as the libraries can do with.
PRINT_SCENES = """
import hashlib, sys
from drawn_scenes import draw_scene
digest = hashlib.sha256()
for lighting in ('day', 'night'):
    for seed in range(10):
        digest.update(draw_scene(seed, (96 + seed, 144 - seed), lighting).tobytes())
print(digest.hexdigest())
"""


@pytest.fixture(scope='module')
def scenes():
    return [draw_scene(seed) for seed in range(100, 140)]


def vector_features():
    """Return the names of what NumPy can do without, and OpenCV's."""
    try:
        core = importlib.import_module('numpy._core._multiarray_umath')
    except ImportError:
        core = importlib.import_module('numpy.core._multiarray_umath')
    present = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
    return ','.join(present), 'AVX512-SKX,AVX2,FMA3,AVX,SSE4.2,SSE4.1'


@pytest.mark.parametrize('plain', [False, True], ids=['all instructions', 'plain instructions'])
def test_scenes_have_the_same_bytes_on_any_processor(plain):
    environment = dict(os.environ)
    if plain:
        numpy_features, opencv_features = vector_features()
        environment['NPY_DISABLE_CPU_FEATURES'] = numpy_features
        environment['OPENCV_CPU_DISABLE'] = opencv_features
        environment['OPENCV_IPP'] = 'disabled'
    command = [sys.executable, '-c', PRINT_SCENES]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert answer.stdout.split() == [DIGEST]


@pytest.mark.parametrize('name', PHOTOS)
def test_mean_over_scenes_lies_within_the_spread_of_photos(scene_table, name):
    low, high = PHOTOS[name]
    assert low <= scene_table[name].mean() <= high


@pytest.fixture(scope='module')
def scene_table(scenes):
    return photo_statistics.table(scenes)


@pytest.mark.parametrize(
    'name',
    ['slope of the power spectrum', 'mean luminance', 'spread of luminance', 'mean chroma',
     'high-pass deviation at 1 px'],
)  # fmt: skip
def test_scenes_vary_at_least_half_as_much_as_photos(scene_table, name):
    least, most = np.percentile(scene_table[name], (10, 90))
    low, high = PHOTOS[name]
    assert most - least > 0.5 * (high - low)


@pytest.mark.shared
def test_the_stated_spread_of_photos_is_that_of_the_shared_photos(shared):
    data = shared / 'data'
    photos = sorted((data / 'clean_photos').glob('*/*.*')) + sorted(
        data.glob('raindrop_*/gt/*.png')
    )
    measured = photo_statistics.table(photo_statistics.read_photo(path) for path in photos)
    assert len(measured['mean luminance']) == 536
    for name, values in measured.items():
        np.testing.assert_allclose(
            np.percentile(values, (10, 90)), PHOTOS[name], rtol=5e-3, atol=5e-4
        )


def test_statistics_tell_noise_and_flat_shapes_from_photos():
    random = np.random.default_rng(0)
    noise = photo_statistics.statistics(random.integers(0, 256, (160, 240, 3), np.uint8))
    assert abs(noise['slope of the power spectrum']) < 0.3
    assert noise['kurtosis of the horizontal derivative'] < 4
    steps = np.cumsum(random.standard_normal((160, 240)), axis=1)[..., None] * [1, 1, 1]
    walk = photo_statistics.statistics(np.clip(128 + 4 * steps, 0, 255).astype(np.uint8))
    assert walk['correlation of red and blue'] == pytest.approx(1)
    assert walk['mean chroma'] == 0


def test_night_is_dark_with_lights_clipped_to_white():
    nights = [draw_scene(seed, (120, 180), 'night') for seed in range(16)]
    days = [draw_scene(seed, (120, 180), 'day') for seed in range(16)]
    assert np.median(nights) < 0.5 * np.median(days)
    clipped = [(night.min(axis=2) > 250).mean() for night in nights]
    assert np.mean([share > 0 for share in clipped]) > 0.8
    assert np.mean(clipped) < 0.08


def test_unknown_lighting_is_refused():
    with pytest.raises(ValueError, match="'day', 'night'"):
        draw_scene(0, (20, 20), 'dusk')


@pytest.mark.parametrize('lighting', ['day', 'night'])
@pytest.mark.parametrize('size', [(16, 16), (16, 300), (333, 17), (101, 67)])
def test_every_kind_of_scene_can_be_drawn_at_odd_sizes(size, lighting):
    for seed in range(12):
        scene = draw_scene(seed, size, lighting)
        assert scene.shape == (*size, 3)
        assert scene.dtype == np.uint8
        assert scene.std() > 0


def test_no_two_scenes_are_alike(scenes):
    small = np.stack([scene[4::8, 4::8] for scene in scenes]).astype(float)
    for number, scene in enumerate(small[1:], 1):
        assert np.abs(small[:number] - scene).mean(axis=(1, 2, 3)).min() > 12


def test_too_small_is_refused():
    with pytest.raises(ValueError, match='16x16'):
        draw_scene(0, (15, 20))


def test_global_random_state_does_not_matter():
    np.random.seed(1)  # noqa: NPY002
    first = draw_scene(3, (32, 32))
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(first, draw_scene(3, (32, 32)))
