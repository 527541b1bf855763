"""Augmentations change both images of a pair alike, and nothing that they should not."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
import pytest
from attentive_gan.datasets.samplers import seeded_rng
from attentive_gan.datasets.transforms import PairedColourJitter, PairedScale
from attentive_gan.errors import UserError
from mmagic.registry import TRANSFORMS

STILL = {
    'brightness': (1, 1),
    'contrast': (1, 1),
    'saturation': (1, 1),
    'hue': (0, 0),
    'gamma': (1, 1),
}


def pair(order='rgb', size=(40, 50)):
    random = np.random.default_rng(3)
    clean = random.integers(0, 256, (*size, 3), np.uint8)
    rainy = clean.copy()
    rainy[10:20, 5:30] = 255
    return {'img': rainy, 'gt': clean, 'img_channel_order': order, 'gt_channel_order': order}


def applied(transform, sample, draw=0):
    with seeded_rng(0, draw):
        return transform(sample)


def test_what_was_equal_stays_equal():
    """The invariant that MMagic's ColorJitter breaks: its contrast refers to each image's mean."""
    same = (pair()['img'] == pair()['gt']).all(2)
    changed = 0
    for draw in range(20):
        result = applied(PairedColourJitter(), pair(), draw)
        np.testing.assert_array_equal(result['img'][same], result['gt'][same])
        changed += (result['gt'] != pair()['gt']).any()
        assert result['img'].dtype == np.uint8
    assert changed == 20
    theirs = TRANSFORMS.build(
        {'type': 'ColorJitter', 'keys': ['img', 'gt'], 'contrast': (0.5, 0.5)}
    )
    result = theirs(pair())
    assert (result['img'][same] != result['gt'][same]).any()


def test_no_change_is_the_identity():
    np.testing.assert_array_equal(
        applied(PairedColourJitter(**STILL), pair())['img'], pair()['img']
    )


def level(value, **changes):
    sample = {'gt': np.full((1, 1, 3), value, np.uint8)}
    return applied(PairedColourJitter(**STILL | changes), sample)['gt'][0, 0].tolist()


def test_tones_follow_their_formula():
    assert level(100, brightness=(1.2, 1.2)) == [120] * 3
    assert level(100, contrast=(0.5, 0.5)) == [114] * 3  # 127.5 - 27.5 / 2
    assert level(100, gamma=(2, 2)) == [round(255 * (100 / 255) ** 2)] * 3
    assert level(250, brightness=(2, 2)) == [255] * 3
    assert level(90, saturation=(2, 2), hue=(120, 120)) == [90] * 3  # greys stay


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_colours_turn_in_either_order(order):
    def turned(colour, **changes):
        step = slice(None, None, -1 if order == 'bgr' else 1)
        sample = {'gt': np.array([[colour[step]]], np.uint8), 'img_channel_order': order}
        return applied(PairedColourJitter(**STILL | changes), sample)['gt'][0, 0][step].tolist()

    assert turned([200, 50, 50], hue=(120, 120)) == [50, 200, 50]
    assert turned([200, 50, 50], hue=(-120, -120)) == [50, 50, 200]
    luma = round(0.299 * 200 + 0.587 * 80 + 0.114 * 40)
    assert turned([200, 80, 40], saturation=(0, 0)) == [luma] * 3
    hue = colorsys.rgb_to_hsv(*(v / 255 for v in turned([200, 80, 40], saturation=(0.5, 0.5))))[0]
    assert hue == pytest.approx(colorsys.rgb_to_hsv(200, 80, 40)[0], abs=0.01)


def test_scale_keeps_images_mask_and_coverage_together():
    square = np.zeros((60, 80), np.float32)
    square[20:40, 30:60] = 1
    grey = np.repeat((square * 200).astype(np.uint8)[..., None], 3, 2)
    base = {
        'img': grey, 'gt': grey, 'mask': (square * 255).astype(np.uint8)[..., None],
        'alpha': square[..., None], 'frame_width': 80,
    }  # fmt: skip
    factors = set()
    for draw in range(8):
        result = applied(PairedScale((0.5, 2)), dict(base), draw)
        factor = result['scale']
        factors.add(round(factor, 3))
        size = (round(60 * factor), round(80 * factor))
        assert result['frame_width'] == size[1]
        assert [result[key].shape for key in ('img', 'mask', 'alpha')] == [
            (*size, 3), (*size, 1), (*size, 1),
        ]  # fmt: skip
        np.testing.assert_array_equal(result['img'], result['gt'])
        assert set(np.unique(result['mask'])) == {0, 255}
        assert 0 <= result['alpha'].min() <= result['alpha'].max() <= 1
        disagree = np.abs(result['mask'] / 255.0 - result['alpha']).mean()
        assert disagree < 0.05
    assert len(factors) == 8
    assert max(factors) <= 2 >= 1 / min(factors)


def test_jpeg_of_the_toolbox_is_right_for_rainy_images_in_rgb():
    """Checks the transform that configs take from MMagic: only `img`, global generator, RGB kept."""
    smooth = cv2.GaussianBlur(pair()['img'], (0, 0), 4)
    smooth[..., 0] //= 3
    config = {'type': 'RandomJPEGCompression', 'keys': ['img'], 'bgr2rgb': True}
    step = TRANSFORMS.build(config | {'params': {'quality': [40, 60], 'prob': 1.0}})
    result = applied(step, {'img': smooth.copy(), 'gt': smooth.copy()})
    np.testing.assert_array_equal(result['gt'], smooth)
    difference = np.abs(result['img'].astype(int) - smooth).mean((0, 1))
    assert 0 < difference.max() < 6
    again = applied(step, {'img': smooth.copy()})
    np.testing.assert_array_equal(again['img'], result['img'])


@pytest.mark.parametrize(
    'make',
    [
        lambda: PairedColourJitter(brightness=(1.2, 0.8)),
        lambda: PairedColourJitter(gamma=(0, 1)),
        lambda: PairedColourJitter(hue=(-200, 0)),
        lambda: PairedScale((0, 1)),
        lambda: PairedScale((1,)),
    ],
)
def test_ranges_are_checked(make):
    with pytest.raises(UserError, match='must be a range within'):
        make()
