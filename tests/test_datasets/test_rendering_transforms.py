"""Rendered samples: right in every field, a function of seed, epoch and index alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.datasets.clean_dataset import CleanImageDataset, DrawnSceneDataset
from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.samplers import SeededIndex
from attentive_gan.datasets.transforms import (
    LoadCleanImage,
    PairedCrop,
    PairedFlip,
    RenderBlobs,
    RenderRaindrops,
    ResizeToCover,
)
from attentive_gan.errors import UserError
from attentive_gan.image_io import write_image
from attentive_gan.utils.manifest import write_manifest
from mmagic.registry import TRANSFORMS
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.parameters import RaindropParameters
from raindrop_renderer.raindrops import render_raindrops
from raindrop_renderer.sampling import add_raindrops
from torch.utils.data import DataLoader

RENDER = [{'type': 'LoadCleanImage'}, {'type': 'RenderRaindrops'}]
TRAIN = [
    RENDER[0],
    {'type': 'RenderRaindrops', 'with_alpha': True},
    {'type': 'PairedCrop', 'crop_size': 24},
    {'type': 'PairedFlip'},
    {'type': 'PackInputs', 'meta_keys': ['raindrop_seed', 'raindrop_parameters', 'mask_rule']},
]


def scenes(pipeline, seed=0, **options):
    return DrawnSceneDataset(3, (48, 64), pipeline=pipeline, seed=seed, **options)


def rendered(order='rgb', index=1, **options):
    steps = [LoadCleanImage(order), RenderRaindrops(**{'with_alpha': True} | options)]
    return scenes(steps)[SeededIndex(index, 7)]


def test_fields_and_their_truth():
    sample = rendered(rule='any', threshold=20, dilation=1)
    clean = scenes([LoadCleanImage()])[1]['gt']
    expected = add_raindrops(
        clean, sample['raindrop_seed'], RaindropOptions(frame_width=64, lighting='day')
    )
    np.testing.assert_array_equal(sample['img'], expected.rainy)
    np.testing.assert_array_equal(sample['gt'], expected.clean)
    np.testing.assert_array_equal(sample['alpha'][..., 0], expected.alpha)
    mask = raindrop_mask(expected.rainy, expected.clean, 20, 'any', 1)
    np.testing.assert_array_equal(sample['mask'], mask[..., None])
    assert sample['mask_rule'] == 'any > 20, dilation 1'
    assert (sample['alpha'].dtype, sample['mask'].dtype) == (np.float32, np.uint8)
    assert 0 < sample['alpha'].mean() < sample['alpha'].max() <= 1
    for key in ('img', 'gt'):
        assert sample[f'ori_{key}_shape'] == (48, 64, 3)
        assert sample[f'{key}_channel_order'] == 'rgb'
        assert sample[f'{key}_color_type'] == 'color'


def test_the_record_of_parameters_renders_the_image_again():
    sample = rendered(level='heavy')
    clean = scenes([LoadCleanImage()])[1]['gt']
    parameters = RaindropParameters.from_record(sample['raindrop_parameters'])
    again = render_raindrops(clean, parameters, 64)
    np.testing.assert_array_equal(again.rainy, sample['img'])


def test_rgb_and_bgr_are_mirrored():
    rgb, bgr = rendered('rgb'), rendered('bgr')
    for key in ('img', 'gt'):
        np.testing.assert_array_equal(rgb[key], bgr[key][..., ::-1])
    for key in ('mask', 'alpha'):
        np.testing.assert_array_equal(rgb[key], bgr[key])


def test_alpha_goes_along_with_crop_flip_and_packing():
    full = rendered()
    sample = {key: full[key] for key in ('img', 'gt', 'mask', 'alpha')}
    cut = PairedFlip(1.0)(PairedCrop((20, 30), random=False)(sample))
    for key in ('img', 'alpha'):
        np.testing.assert_array_equal(cut[key], full[key][14:34, 17:47][:, ::-1])
    packed = TRANSFORMS.build({'type': 'PackInputs'})(cut)['data_samples']
    assert packed.gt_alpha.dtype == torch.float32
    np.testing.assert_array_equal(packed.gt_alpha.numpy()[0], cut['alpha'][..., 0])


def test_coverage_is_made_on_request_only():
    full = rendered(with_coverage=True)
    expected = np.rint(full['alpha'] * 255)
    assert full['coverage'].dtype == np.uint8
    assert full['coverage'].shape == (48, 64, 1)
    assert np.abs(full['coverage'] - expected).max() <= 1
    assert not {'alpha', 'coverage'} & set(rendered(with_alpha=False))
    pack = {'type': 'PackInputs', 'data_keys': ['coverage']}
    packed = TRANSFORMS.build(pack)(PairedFlip(1.0)(full))['data_samples']
    np.testing.assert_array_equal(packed.coverage.numpy()[0], full['coverage'][..., 0])


def test_a_crop_is_the_window_of_the_whole():
    crop = rendered(crop_size=(20, 30), with_coverage=True, dilation=1)
    top, left, height, width = crop['crop_box']
    assert (height, width) == (20, 30)
    clean = scenes([LoadCleanImage()])[1]['gt']
    options = RaindropOptions(frame_width=64, lighting='day')
    whole = add_raindrops(clean, crop['raindrop_seed'], options)
    window = slice(top, top + height), slice(left, left + width)
    np.testing.assert_array_equal(crop['img'], whole.rainy[window])
    np.testing.assert_array_equal(crop['gt'], whole.clean[window])
    np.testing.assert_array_equal(crop['alpha'][..., 0], whole.alpha[window])
    np.testing.assert_array_equal(crop['coverage'][..., 0], whole.coverage[window])
    mask = raindrop_mask(whole.rainy, whole.clean, dilation=1)
    np.testing.assert_array_equal(crop['mask'][..., 0], mask[window])
    assert crop['ori_img_shape'] == (48, 64, 3)


def test_crops_are_drawn_from_everywhere_and_blobs_are_cropped_too():
    dataset = scenes([LoadCleanImage(), RenderRaindrops(crop_size=46)])
    boxes = [dataset[SeededIndex(0, n)]['crop_box'] for n in range(40)]
    tops, lefts = zip(*[box[:2] for box in boxes], strict=True)
    assert set(tops) == {0, 1, 2}
    assert min(lefts) < 4
    assert max(lefts) > 14
    blobs = scenes([LoadCleanImage(), RenderBlobs(crop_size=(16, 24))])[0]
    assert blobs['img'].shape == blobs['gt'].shape == (16, 24, 3)
    with pytest.raises(UserError, match='smaller than the crop of 100x100'):
        scenes([LoadCleanImage(), RenderRaindrops(crop_size=100)])[0]


def test_some_samples_are_dry_on_request():
    dry = rendered(dry_share=1, with_coverage=True, regimes={'focused': 1}, crop_size=32)
    np.testing.assert_array_equal(dry['img'], dry['gt'])
    assert not any(dry[key].any() for key in ('mask', 'alpha', 'coverage'))
    clean = scenes([LoadCleanImage()])[1]['gt']
    parameters = RaindropParameters.from_record(dry['raindrop_parameters'])
    np.testing.assert_array_equal(render_raindrops(clean, parameters, 64).rainy, clean)
    steps = [LoadCleanImage(), RenderRaindrops(dry_share=0.3)]
    dataset = scenes(steps)
    found = [dataset[SeededIndex(0, n)] for n in range(60)]
    share = np.mean([np.array_equal(one['img'], one['gt']) for one in found])
    assert share == pytest.approx(0.3, abs=0.2)


def test_the_target_may_have_the_focus_of_the_camera():
    options = {'regimes': {'focused': 1}, 'coverage_scale': 0.0, 'mist_scale': 0.0}
    sharp, soft = (rendered(sharp_target=value, **options) for value in (True, False))
    np.testing.assert_array_equal(soft['img'], sharp['img'])
    clean = scenes([LoadCleanImage()])[1]['gt']
    np.testing.assert_array_equal(sharp['gt'], clean)
    far, near = (np.abs(one['img'].astype(int) - one['gt']).mean() for one in (sharp, soft))
    assert near < 0.8 * far


def flat(sample):
    data = sample['data_samples']
    parts = (sample['inputs'], data.gt_img, data.mask, (data.gt_alpha * 255).round())
    return torch.cat([part.float() for part in parts]).numpy().astype(np.uint8)


def test_workers_and_resuming_do_not_change_samples():
    draws = [SeededIndex(index, draw, 5) for draw, index in enumerate([2, 0, 1, 1, 2, 0])]

    def collected(workers, chosen, cache=False):
        dataset = scenes(TRAIN, cache=cache)
        loader = DataLoader(dataset, None, sampler=chosen, num_workers=workers)
        return [flat(sample) for sample in loader]

    alone = collected(0, draws)
    assert len({sample.tobytes() for sample in alone}) == len(draws)
    np.testing.assert_array_equal(collected(2, draws), alone)
    np.testing.assert_array_equal(collected(1, draws[3:], cache=True), alone[3:])


def test_validation_shows_the_same_images_every_time():
    first, again = scenes(TRAIN), scenes(TRAIN)
    for index in (0, 2, 0):
        np.testing.assert_array_equal(flat(first[index]), flat(again[index]))
    seeds = {first[index]['data_samples'].metainfo['raindrop_seed'] for index in range(3)}
    assert len(seeds) == 3
    assert (
        first[0]['data_samples'].metainfo['raindrop_seed']
        != (scenes(TRAIN, seed=1)[0]['data_samples'].metainfo['raindrop_seed'])
    )


def test_drops_refer_to_the_frame_before_a_crop():
    """A crop before rendering keeps the size of the drops; a smaller image shrinks them."""
    seen = []

    class Recording(RenderRaindrops):
        def _options_for(self, results):
            seen.append(super()._options_for(results).frame_width)
            return super()._options_for(results)

    for steps in ([PairedCrop(32)], [ResizeToCover((96, 96))], []):
        scenes([LoadCleanImage(), *steps, Recording()])[0]
    scenes([LoadCleanImage(), PairedCrop(32), Recording(frame_width=500)])[0]
    assert seen == [64, 128, 64, 500]


def test_the_lighting_of_a_scene_is_known():
    def lamps(**options):
        steps = [LoadCleanImage(), RenderRaindrops(**options)]
        dataset = scenes(steps, night_share=0.5, seed=0)
        return [dataset[n]['raindrop_parameters']['lamps'] > 0 for n in range(3)]

    nights = [scene['lighting'] == 'night' for scene in scenes([], night_share=0.5, seed=0)]
    assert set(nights) == {True, False}
    assert lamps() == nights
    assert lamps(lighting='day') == [False] * 3


@pytest.mark.parametrize(
    ('size', 'shrink', 'expected'),
    [((96, 96), True, (96, 128)), ((24, 30), True, (24, 32)), ((24, 30), False, (48, 64))],
)
def test_covering_a_size(size, shrink, expected):
    assert scenes([LoadCleanImage(), ResizeToCover(size, shrink)])[0]['gt'].shape[:2] == expected


def test_covering_keeps_flat_colours():
    results = {'gt': np.full((7, 9, 3), (200, 3, 90), np.uint8)}
    changed = ResizeToCover((50, 50))(results)['gt']
    assert changed.shape[:2] == (50, 64)
    assert (changed == (200, 3, 90)).all()


def test_small_photos_are_named(tmp_path):
    write_image(tmp_path / 'tiny.png', np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(UserError, match=r'tiny\.png: .*16x16.*9x9'):
        CleanImageDataset(str(tmp_path), RENDER)[0]
    write_image(tmp_path / 'tiny.png', np.zeros((30, 30, 3), np.uint8))
    crop = {'type': 'PairedCrop', 'crop_size': 64}
    with pytest.raises(UserError, match=r'tiny\.png is 30x30, smaller than the crop'):
        CleanImageDataset(str(tmp_path), [*RENDER, crop])[0]
    cover = {'type': 'ResizeToCover', 'size': (64, 64)}
    dataset = CleanImageDataset(str(tmp_path), [RENDER[0], cover, RENDER[1], crop])
    assert dataset[0]['img'].shape == (64, 64, 3)


def test_calibration_gives_the_scales(tmp_path):
    file = tmp_path / 'calibration.json'
    scales = {'coverage_scale': 1.5, 'sky_scale': 0.5, 'mist_scale': 2.0}
    write_manifest(file, {'scales': scales})
    options = RenderRaindrops(calibration=str(file), level='light').options
    assert options == RaindropOptions(level='light', **scales)
    with pytest.raises(UserError, match='mist_scale and a calibration exclude'):
        RenderRaindrops(calibration=str(file), mist_scale=1.0)
    with pytest.raises(UserError, match='does not exist'):
        RenderRaindrops(calibration=str(tmp_path / 'none.json'))
    write_manifest(file, {'scales': {'coverage_scale': 1.5}})
    with pytest.raises(UserError, match='is not a calibration'):
        RenderRaindrops(calibration=str(file))


@pytest.mark.parametrize(
    'options',
    [{'level': 'wet'}, {'regimes': {'big': 1}}, {'lighting': 'noon'}, {'rule': 'max'},
     {'coverage_scale': -1}, {'crop_size': 0}, {'dry_share': 2}, {'crop_size': (3, 4, 5)}],
)  # fmt: skip
def test_wrong_options_are_refused(options):
    with pytest.raises(UserError):
        RenderRaindrops(**options)
