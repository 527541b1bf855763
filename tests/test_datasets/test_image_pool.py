"""The pool of images: crops are windows of pairs, drawn evenly, changed alike; batches reach the editor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.datasets.image_pool import CropOptions, ImagePool
from attentive_gan.datasets.transforms import PackPair, RenderPairs
from attentive_gan.errors import UserError
from attentive_gan.models.data_preprocessors import PairPreprocessor

CPU = torch.device('cpu')
PLAIN = CropOptions(scale=(1, 1), flip=0, colour=0, groups=1)


def numbered(count, height, width):
    """Pairs whose channels tell image, row and column; the clean image is the rainy one plus 1."""
    pairs = torch.zeros(count, height, width, 7, dtype=torch.uint8)
    pairs[..., 0] = torch.arange(count)[:, None, None]
    pairs[..., 1] = torch.arange(height)[:, None]
    pairs[..., 2] = torch.arange(width)
    pairs[..., 3:6] = pairs[..., :3] + 1
    pairs[..., 6] = 200
    return pairs


def filled(count=6, height=20, width=31, seed=0, capacity=None):
    pool = ImagePool(capacity or count, (height, width), CPU, seed)
    pool.put(numbered(count, height, width))
    return pool


def test_crops_are_windows_of_one_image_and_pairs_stay_together():
    crops = filled().random_crops(64, 8, PLAIN).long()
    assert crops.shape == (64, 8, 8, 7)
    assert (crops[..., 0] == crops[:, :1, :1, 0]).all()
    assert (crops[:, 1:, :, 1] - crops[:, :-1, :, 1] == 1).all()
    assert (crops[:, :, 1:, 2] - crops[:, :, :-1, 2] == 1).all()
    assert (crops[..., 3:6] == crops[..., :3] + 1).all()


def test_crops_come_from_everywhere():
    crops = filled().random_crops(4000, 8, PLAIN)
    corners = crops[:, 0, 0, :3].long()
    for channel, values in ((0, 6), (1, 20 - 8 + 1), (2, 31 - 8 + 1)):
        counts = torch.bincount(corners[:, channel], minlength=values)
        expected = 4000 / values
        assert len(counts) == values
        assert float((counts - expected).abs().max()) < 6 * expected**0.5


def test_mirrored_crops_run_from_right_to_left():
    crops = filled().random_crops(400, 8, CropOptions(scale=(1, 1), flip=0.25, colour=0)).long()
    steps = crops[:, :, 1:, 2] - crops[:, :, :-1, 2]
    mirrored = (steps == -1).all(2).all(1)
    assert ((steps == 1).all(2).all(1) | mirrored).all()
    assert 60 <= int(mirrored.sum()) <= 140
    assert (crops[:, 1:, :, 1] - crops[:, :-1, :, 1] == 1).all()  # never upside down


def test_scaling_keeps_size_and_means():
    pool = ImagePool(1, (64, 64), CPU)
    pool.put(torch.full((1, 64, 64, 7), 77, dtype=torch.uint8))
    for factor in (0.5, 0.8, 1.5):
        crops = pool.random_crops(3, 24, CropOptions(scale=(factor, factor), colour=0))
        assert crops.shape == (3, 24, 24, 7)
        assert (crops == 77).all()
    ramp = (
        filled(1, 20, 31)
        .random_crops(8, 10, CropOptions(scale=(0.5, 0.5), flip=0, colour=0))
        .float()
    )
    assert torch.allclose(ramp[:, 4, 5, 2] - ramp[:, 4, 4, 2], torch.tensor(2.0), atol=1.01)


def test_colours_change_both_images_alike_and_not_the_mask():
    pool = ImagePool(1, (16, 16), CPU)
    pool.put(torch.full((1, 16, 16, 7), 100, dtype=torch.uint8))
    crops = pool.random_crops(200, 8, CropOptions(scale=(1, 1), colour=0.2)).float()
    assert (crops[..., :3] == crops[..., 3:6]).all()
    assert (crops[..., 6] == 100).all()
    levels = crops[:, 0, 0, :3]
    assert 80 <= levels.min() < 84
    assert 116 < levels.max() <= 120


def test_new_images_replace_the_oldest():
    pool = filled(4, 8, 8, capacity=3)
    assert (pool.count, pool.received) == (3, 4)
    assert sorted(pool.pairs[:, 0, 0, 0].tolist()) == [1, 2, 3]


def test_equal_seeds_draw_alike():
    one, same, other = (filled(seed=seed).random_crops(5, 8, CropOptions()) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_crops_larger_than_the_images_are_refused():
    pool = filled(1, 20, 31)
    assert pool.random_crops(2, 20, CropOptions(scale=(0.5, 0.5))).shape == (2, 20, 20, 7)
    with pytest.raises(UserError, match=r'crops of 21x21 are larger than .* 31x20'):
        pool.random_crops(2, 21, PLAIN)


def test_images_of_another_size_are_refused():
    with pytest.raises(UserError, match=r'holds pairs of 8x8x7, but the data set gives 8x9x7'):
        filled(1, 8, 8).put(numbered(1, 8, 9))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'scale': (2, 1)}, 'scale must be'),
        ({'flip': 1.5}, 'flip must be'),
        ({'colour': 0.6}, 'colour must be'),
        ({'groups': 0}, 'groups must be'),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        CropOptions(**options)


def test_pack_pair_and_preprocessor_give_what_mmagic_gives():
    random = np.random.default_rng(0)
    sample = {
        'img': random.integers(0, 256, (6, 5, 3), dtype=np.uint8),
        'gt': random.integers(0, 256, (6, 5, 3), dtype=np.uint8),
        'mask': random.integers(0, 2, (6, 5, 1), dtype=np.uint8) * 255,
        'img_path': 'a.png',
    }
    packed = PackPair().transform(dict(sample))
    assert packed['names'] == 'a.png'
    preprocessor = PairPreprocessor(mean=[0, 0, 0], std=[255, 255, 255])
    batch = preprocessor({'pairs': packed['pairs'][None], 'names': ['a.png']}, training=True)
    for found, key in ((batch['inputs'], 'img'), (batch['data_samples'].gt_img, 'gt')):
        expected = torch.from_numpy(sample[key]).permute(2, 0, 1)[None] / 255
        assert torch.equal(found, expected)
        assert found.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(
        batch['data_samples'].mask, torch.from_numpy(sample['mask']).permute(2, 0, 1)[None]
    )
    with pytest.raises(UserError, match=r"a.png has no 'coverage'"):
        PackPair('coverage').transform(dict(sample))


def test_render_pairs_depends_on_the_seeded_generator_alone():
    clean = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    step = RenderPairs(count=2, raindrops=dict(level='heavy'), jpeg_share=0, white_balance=0.1)

    def run(seed):
        np.random.seed(seed)  # noqa: NPY002
        return step.transform({'gt': clean.copy(), 'gt_channel_order': 'rgb'})['pairs']

    first = run(1)
    assert first.shape == (2, 48, 64, 7)
    assert torch.equal(first, run(1))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, run(2))
    with pytest.raises(UserError, match=r'RenderPairs.count'):
        RenderPairs(count=0)


def test_collating_stacks_pairs_and_leaves_other_samples_in_lists():
    from attentive_gan.datasets.transforms import collate_pairs

    pairs = numbered(2, 4, 5)
    batch = collate_pairs([{'pairs': pairs[k], 'names': f'{k}.png'} for k in range(2)])
    assert torch.equal(batch['pairs'], pairs)
    assert batch['names'] == ['0.png', '1.png']
    listed = collate_pairs([{'inputs': pairs[k], 'data_samples': k} for k in range(2)])
    assert listed['data_samples'] == [0, 1]
    assert torch.equal(listed['inputs'][1], pairs[1])


def test_sheets_show_packed_pairs():
    from attentive_gan.data_tools.sheets import sample_row

    caption, images = sample_row({'pairs': numbered(1, 4, 5)[0], 'names': 'folder/a.png'})
    assert caption == 'a.png   5x4'
    assert [image.shape for image in images] == [(4, 5, 3), (4, 5, 3), (4, 5)]
