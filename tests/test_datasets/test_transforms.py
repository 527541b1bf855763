"""Images and mask go through the pipeline together, in the colour order that the config says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.data_tools.sheets import sample_row
from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.raindrop_dataset import RaindropDataset
from attentive_gan.datasets.samplers import SeededIndex
from attentive_gan.datasets.transforms import (
    LoadRainyCleanPair,
    PairedCrop,
    PairedFlip,
    RaindropMask,
)
from attentive_gan.errors import UserError
from mmagic.registry import MODELS, TRANSFORMS
from support.pairs import pair_of


@pytest.fixture
def root(raindrop_set):
    return str(raindrop_set())


def loaded(root, order='rgb', index=1):
    return RaindropDataset(data_root=root, pipeline=[LoadRainyCleanPair(order)])[index]


def test_loading_sets_what_the_toolbox_sets(root):
    ours = loaded(root, 'bgr')
    theirs = {'img_path': ours['img_path'], 'gt_path': ours['gt_path']}
    for key in ('img', 'gt'):
        theirs = TRANSFORMS.build({'type': 'LoadImageFromFile', 'key': key})(theirs)
    for key, value in theirs.items():
        np.testing.assert_array_equal(ours[key], value, err_msg=key)


def test_rgb_and_bgr_are_mirrored(root):
    rgb, bgr = loaded(root, 'rgb'), loaded(root, 'bgr')
    for key in ('img', 'gt'):
        np.testing.assert_array_equal(rgb[key], bgr[key][..., ::-1])
    np.testing.assert_array_equal(rgb['gt'], pair_of(1)[1])
    for rule in ('mean', 'any', 'luma'):
        masks = [RaindropMask(rule=rule)(results)['mask'] for results in (rgb, bgr)]
        np.testing.assert_array_equal(*masks)
    blue = np.zeros((3, 3, 3), np.uint8)
    blue[1, 1] = (0, 0, 120)  # its luma is 13.7; as red it would be 35.9
    for order, image in (('rgb', blue), ('bgr', blue[..., ::-1])):
        results = {'img': image, 'gt': np.zeros_like(blue), 'img_channel_order': order}
        assert not RaindropMask(rule='luma')(results)['mask'].any()
    with pytest.raises(UserError, match='rbg'):
        LoadRainyCleanPair('rbg')


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_preprocessor_knows_the_colours(root, order):
    pipeline = [LoadRainyCleanPair(order), TRANSFORMS.build({'type': 'PackInputs'})]
    sample = RaindropDataset(data_root=root, pipeline=pipeline)[1]
    config = {'type': 'DataPreprocessor', 'mean': [0.0] * 3, 'std': [255.0] * 3}
    preprocessor = MODELS.build({**config, 'output_channel_order': 'RGB'})
    batch = {'inputs': [sample['inputs']], 'data_samples': [sample['data_samples']]}
    data = preprocessor(batch, training=True)
    rainy, clean = (torch.from_numpy(image).permute(2, 0, 1) for image in pair_of(1))
    assert torch.equal(data['inputs'][0] * 255, rainy.float())
    assert torch.equal(data['data_samples'].gt_img[0] * 255, clean.float())
    restored = preprocessor.destruct(data['inputs'], data['data_samples'])
    assert torch.equal(restored[0].flip(0), rainy.float())  # the toolbox returns BGR


def test_crop_of_the_mask_is_the_mask_of_the_full_image(root):
    rainy, clean = pair_of(1)
    full = raindrop_mask(rainy, clean)
    differs = 0
    pipeline = [LoadRainyCleanPair(), RaindropMask(), PairedCrop((8, 12)), PairedFlip(0.0)]
    dataset = RaindropDataset(data_root=root, pipeline=pipeline)
    for draw in range(60):
        results = dataset[SeededIndex(1, draw)]
        top, left, height, width = results['crop_box']
        window = np.s_[top : top + height, left : left + width]
        np.testing.assert_array_equal(results['mask'][..., 0], full[window])
        np.testing.assert_array_equal(results['img'], rainy[window])
        np.testing.assert_array_equal(results['gt'], clean[window])
        differs += not np.array_equal(full[window], raindrop_mask(rainy[window], clean[window]))
    assert differs  # at the border of a crop, dilation from outside counts


def test_crop_reaches_every_place_and_the_centre():
    places = {PairedCrop(2)({'img': np.zeros((4, 5, 3))})['crop_box'][:2] for _ in range(400)}
    assert places == {(top, left) for top in range(3) for left in range(4)}
    centre = PairedCrop((2, 3), random=False)({'img': np.zeros((4, 6, 3))})
    assert centre['crop_box'] == (1, 1, 2, 3)
    assert PairedCrop((4, 6))({'img': np.zeros((4, 6, 3))})['img'].shape == (4, 6, 3)


def test_crop_larger_than_the_image_names_the_file():
    results = {'img': np.zeros((10, 300, 3)), 'img_path': 'data/5_rain.png'}
    with pytest.raises(
        UserError, match=r'data/5_rain\.png is 300x10, smaller than the crop of 224x224'
    ):
        PairedCrop(224)(results)
    for wrong in (0, (5,), (3, -1)):
        with pytest.raises(UserError, match='crop_size'):
            PairedCrop(wrong)


@pytest.mark.parametrize(('direction', 'axis'), [('horizontal', 1), ('vertical', 0)])
def test_flip_moves_all_together(root, direction, axis):
    before = RaindropMask()(loaded(root))
    copies = {key: before[key].copy() for key in ('img', 'gt', 'mask')}
    after = PairedFlip(1.0, direction)(before)
    assert after['flipped']
    for key, copy in copies.items():
        np.testing.assert_array_equal(after[key], np.flip(copy, axis))


def test_flip_probability():
    flips = [PairedFlip(0.3)({'img': np.zeros((2, 2, 3))})['flipped'] for _ in range(1000)]
    assert 0.25 < np.mean(flips) < 0.35
    assert not any(PairedFlip(0.0)({})['flipped'] for _ in range(50))
    with pytest.raises(UserError, match=r'1\.5'):
        PairedFlip(1.5)
    with pytest.raises(UserError, match='diagonal'):
        PairedFlip(direction='diagonal')


def test_packed_sample_carries_mask_and_its_rule(root):
    steps = [LoadRainyCleanPair(), RaindropMask(20, 'any', 1), PairedCrop(16), PairedFlip()]
    pack = TRANSFORMS.build({'type': 'PackInputs', 'meta_keys': ['mask_rule']})
    data = RaindropDataset(data_root=root, pipeline=[*steps, pack])[0]['data_samples']
    assert data.mask.shape == (1, 16, 16)
    assert data.mask.dtype == torch.uint8
    assert data.gt_img.shape == (3, 16, 16)
    assert data.mask_rule == 'any > 20, dilation 1'
    assert data.img_channel_order == 'rgb'


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_browsing_shows_true_colours(root, order):
    pack = TRANSFORMS.build({'type': 'PackInputs'})
    dataset = RaindropDataset(
        data_root=root, pipeline=[LoadRainyCleanPair(order), RaindropMask(), pack]
    )
    caption, images = sample_row(dataset[2])
    assert '2_rain.png' in caption
    for shown, expected in zip(images, (*pair_of(2), raindrop_mask(*pair_of(2))), strict=True):
        np.testing.assert_array_equal(shown, expected)
