"""Drawn scenes and simple drops: repeatable, varied, and of the difficulty that training needs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import attentive_gan
import numpy as np
import pytest
from attentive_gan.datasets import raindrop_mask
from attentive_gan.rendering import add_simple_drops, draw_scene
from scipy import ndimage

#: Loads the room without the package around it, which would import the toolbox.
PRINT_DIGESTS = """
import hashlib, sys, types
package = types.ModuleType('attentive_gan')
package.__path__ = [sys.argv[1]]
sys.modules['attentive_gan'] = package
from attentive_gan.rendering import add_simple_drops, draw_scene
drawn = add_simple_drops(draw_scene(7, (48, 64)), 7)
for part in (drawn.clean, drawn.rainy, drawn.alpha):
    print(hashlib.sha256(part.tobytes()).hexdigest())
print(sorted({'torch', 'mmcv', 'mmengine', 'mmagic'} & set(sys.modules)))
"""


@pytest.fixture(scope='module')
def drawn():
    return [add_simple_drops(draw_scene(seed, (80, 120)), seed) for seed in range(24)]


def test_same_seed_gives_same_bytes_in_another_process_without_torch():
    here = add_simple_drops(draw_scene(7, (48, 64)), 7)
    parts = (here.clean, here.rainy, here.alpha)
    digests = [hashlib.sha256(part.tobytes()).hexdigest() for part in parts]
    command = [sys.executable, '-c', PRINT_DIGESTS, str(Path(attentive_gan.__file__).parent)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    *printed, heavy = answer.stdout.splitlines()
    assert printed == digests
    assert heavy == '[]'  # a renderer needs neither PyTorch nor the toolbox


def test_global_random_state_does_not_matter():
    np.random.seed(1)  # noqa: NPY002
    first = add_simple_drops(draw_scene(3, (32, 32)), 3).rainy
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(first, add_simple_drops(draw_scene(3, (32, 32)), 3).rainy)


@pytest.mark.parametrize('size', [(16, 16), (17, 63), (160, 240)])
def test_shapes_and_ranges(size):
    result = add_simple_drops(draw_scene(1, size), 1)
    assert result.rainy.shape == result.clean.shape == (*size, 3)
    assert result.rainy.dtype == result.clean.dtype == np.uint8
    assert result.alpha.shape == size
    assert result.alpha.dtype == np.float32
    assert result.alpha.min() >= 0
    assert 0.3 < result.alpha.max() <= 1


def test_too_small_is_refused():
    with pytest.raises(ValueError, match='16x16'):
        draw_scene(0, (15, 20))


def test_scenes_differ_and_are_not_flat(drawn):
    clean = np.stack([pair.clean for pair in drawn]).astype(float)
    assert clean.std(axis=(1, 2)).min() > 5
    for first in range(len(clean)):
        for second in range(first):
            assert np.abs(clean[first] - clean[second]).mean() > 5


def test_sky_is_brighter_than_ground(drawn):
    brighter = [pair.clean[:16].mean() > pair.clean[-16:].mean() for pair in drawn]
    assert np.mean(brighter) > 0.8


def test_drops_have_the_wanted_difficulty(drawn):
    masks = [raindrop_mask(pair.rainy, pair.clean, dilation=1) > 0 for pair in drawn]
    share = np.array([mask.mean() for mask in masks])
    error = np.array([np.mean((pair.rainy.astype(float) - pair.clean) ** 2) for pair in drawn])
    psnr = 10 * np.log10(255**2 / error)
    assert 0.12 < share.mean() < 0.28
    assert share.min() > 0.05
    assert share.max() < 0.45
    assert 18 < psnr.mean() < 21


def test_change_lies_where_the_drops_are(drawn):
    inside = [
        (raindrop_mask(pair.rainy, pair.clean, dilation=1) > 0)[pair.alpha < 0.02].mean()
        for pair in drawn
    ]
    # The film of mist between the drops changes sharp edges a little; it must stay little.
    assert np.mean(inside) < 0.04


def test_drops_show_the_scene_upside_down_and_brighter():
    clean = np.zeros((120, 180, 3), np.uint8)
    clean[:60] = 200  # sky above, black ground below
    lower_is_brighter = []
    for seed in range(20):
        result = add_simple_drops(clean, seed)
        thick = result.alpha > 0.6
        assert result.rainy[75:][thick[75:]].mean() > 40  # brighter than the black ground
        labels, count = ndimage.label(thick)
        for number, place in enumerate(ndimage.find_objects(labels, count), 1):
            middle = (place[0].start + place[0].stop) // 2
            inside = labels == number
            height, width = (side.stop - side.start for side in place)
            single = abs(height - width) < 0.3 * height and inside.sum() > 0.68 * height * width
            if 52 < middle < 68 and single and inside.sum() > 30:
                upper, lower = inside[:middle], inside[middle:]
                above, below = result.rainy[:middle][upper], result.rainy[middle:][lower]
                lower_is_brighter.append(below.mean() > above.mean())
    assert len(lower_is_brighter) > 10
    assert np.mean(lower_is_brighter) > 0.9  # some are two drops after all
