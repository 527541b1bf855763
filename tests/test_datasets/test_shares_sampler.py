"""Samples of several data sets in given shares: exact, resumable, disjoint between processes."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
import torch
from attentive_gan.config import reading as configuration
from attentive_gan.datasets import ConcatenatedPairDataset, PairFolderDataset, SharesSampler
from attentive_gan.datasets.pooled_dataloader import PooledDataLoader
from attentive_gan.errors import UserError
from mmengine.dataset import ConcatDataset
from support.published_layouts import write_input_target
from torch.utils.data import (
    ConcatDataset as JoinedDataset,  # MMEngine's takes only its own data sets
)
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    """As large an image set as asked for, of one level; a sample is its index and seeds."""

    def __init__(self, length, level=0):
        self.length, self.level = length, level

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return {'pairs': torch.full((16, 24, 7), self.level, dtype=torch.uint8), 'names': 'x'}


class Numbers(Images):
    def __getitem__(self, index):
        return self.level, int(index), index.position


SIZES = (7, 500, 40)
SHARES = [0.5, 0.3, 0.2]


@pytest.fixture
def joined():
    return JoinedDataset([Numbers(size, level) for level, size in enumerate(SIZES)])


def draws(sampler, count):
    return [(int(index), index.position) for index in islice(sampler, count)]


def part_of(index):
    return 0 if index < 7 else 1 if index < 507 else 2


@pytest.mark.parametrize('shuffle', [True, False])
@pytest.mark.parametrize('shares', [SHARES, [5, 3, 2]])
def test_shares_hold_and_no_image_of_a_part_comes_more_often_than_another(joined, shares, shuffle):
    sampler = SharesSampler(joined, shares, seed=3, shuffle=shuffle)
    drawn = [index for index, _ in draws(sampler, 10_000)]
    assert [sum(part_of(index) == part for index in drawn) for part in range(3)] == [
        5000,
        3000,
        2000,
    ]
    times = Counter(drawn)
    for part, size in enumerate(SIZES):
        counts = [count for index, count in times.items() if part_of(index) == part]
        assert len(counts) == size
        assert max(counts) - min(counts) <= 1
    # In a batch of 8 the shares hold on average, and every batch is not the same.
    batches = [tuple(map(part_of, drawn[k : k + 8])) for k in range(0, 800, 8)]
    assert len(set(batches)) > (50 if shuffle else 1)


def test_seed_decides_and_blocks_and_epochs_differ(joined):
    one, same, other = (draws(SharesSampler(joined, SHARES, seed=seed), 3000) for seed in (1, 1, 2))
    assert one == same != other
    parts = [[part_of(index) for index, _ in one[k : k + 1000]] for k in (0, 1000, 2000)]
    assert parts[0] != parts[1] != parts[2]
    first = [index for index, _ in one if part_of(index) == 0]
    epochs = [first[k : k + 7] for k in range(0, 700, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 90


@pytest.mark.parametrize('iteration', [1, 130, 700])
def test_a_resumed_training_gets_the_samples_it_would_have_had(joined, iteration):
    whole = SharesSampler(joined, SHARES, seed=5)
    whole.start_at(0, batch_size=8)
    late = SharesSampler(joined, SHARES, seed=5)
    late.start_at(iteration, batch_size=8)
    assert draws(late, 80) == draws(whole, iteration * 8 + 80)[iteration * 8 :]


def test_two_processes_share_the_positions(joined):
    whole = draws(SharesSampler(joined, SHARES, seed=5), 4000)
    parts = []
    for rank in (0, 1):
        sampler = SharesSampler(joined, SHARES, seed=5)
        sampler.rank, sampler.world_size = rank, 2
        sampler.start_at(0, batch_size=4)
        parts.append(draws(sampler, 2000))
    assert not set(parts[0]) & set(parts[1])
    assert sorted(parts[0] + parts[1], key=lambda draw: draw[1]) == whole


def test_workers_give_the_same_samples(joined):
    def batches(workers):
        sampler = SharesSampler(joined, SHARES, seed=1)
        sampler.start_at(3, batch_size=4)
        loader = DataLoader(
            joined, batch_size=4, sampler=sampler, num_workers=workers, collate_fn=list
        )
        return list(islice(loader, 6))

    assert batches(0) == batches(2)
    assert {level for batch in batches(0) for level, _, _ in batch} == {0, 1, 2}


def test_a_pool_gets_images_in_their_shares():
    joined = JoinedDataset([Images(4, level=10), Images(300, level=200)])
    sampler = dict(type='SharesSampler', shares=[3, 1])
    options = dict(batch_size=2, crop_size=8, pool_size=400, start_size=400, num_workers=0, seed=0)
    with PooledDataLoader(joined, sampler, images_per_batch=1, **options) as loader:
        next(iter(loader))
        levels = loader.pool.pairs[:, 0, 0, 0].tolist()
        assert 0.65 < levels.count(10) / len(levels) < 0.85
        assert set(levels) == {10, 200}


@pytest.mark.parametrize(
    ('shares', 'message'),
    [
        ([1, 2], 'has 2 shares, but the ConcatDataset has 3 data sets'),
        ([1, 0, 1], 'numbers above 0'),
        ([1, float('nan'), 1], 'numbers above 0'),
        ([1, 1e-5, 1], 'below a thousandth'),
    ],
)
def test_wrong_shares_are_refused(joined, shares, message):
    with pytest.raises(UserError, match=message):
        SharesSampler(joined, shares, seed=0)


def test_a_single_data_set_is_refused():
    with pytest.raises(UserError, match='needs a ConcatDataset, not a Images'):
        SharesSampler(Images(3), [1], seed=0)


def test_the_config_of_docs_trains_and_refuses_other_shares_on_resume(repository, tmp_path):
    """The fragment of docs/datasets.md on a small network."""
    text = (repository / 'docs' / 'datasets.md').read_text()
    fragment = text.split('```python\n')[1].split('```')[0]
    data = write_input_target(tmp_path / 'data', train=4)
    write_input_target(tmp_path / 'more', train=2)
    fragment = fragment.replace('../_base_', str(repository / 'configs' / '_base_'))
    fragment = fragment.replace('data/uav_rain1k', str(data))
    fragment = fragment.replace('data/lhp_rain', str(tmp_path / 'more'))
    path = tmp_path / 'mixed.py'
    path.write_text(fragment)

    def runner(shares, **options):
        config = configuration.load_config(
            str(path),
            {
                'train_dataloader.sampler.shares': shares,
                'model.generator.mid_channels': 4,
                'model.generator.enc_blk_nums': [1, 1, 1, 1],
                **options,
            },
        )
        config.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
        for part in config.train_dataloader.dataset.datasets:
            part.pipeline[2].crop_size = (32, 32)
        config.val_dataloader = config.val_cfg = config.val_evaluator = None
        config.train_cfg.max_iters = 4
        config.default_hooks.update(
            sample_grid=None,
            checkpoint=dict(type='VerifiedCheckpointHook', interval=2, by_epoch=False),
        )
        config.visualizer.vis_backends = [dict(type='LocalVisBackend')]
        config.work_dir = str(tmp_path / 'work')
        config.randomness = dict(seed=1)
        return configuration.build_runner(config)

    made = runner([0.7, 0.3])
    made.train()
    assert isinstance(made.train_dataloader.sampler, SharesSampler)
    assert {type(part) for part in made.train_dataloader.dataset.datasets} == {PairFolderDataset}
    with pytest.raises(UserError, match='shares'):
        runner([0.2, 0.8], load_from=str(tmp_path / 'work' / 'iter_2.pth'), resume=True).train()


def test_different_kinds_join(tmp_path):
    """A set of folders and one of concatenated images, as ConcatDataset needs them."""
    root = write_input_target(tmp_path)
    folders = PairFolderDataset(data_root=str(root / 'train'), rainy='input', clean='target')
    halves = ConcatenatedPairDataset(data_root=str(root / 'test' / 'input'), rainy_side='left')
    joined = ConcatDataset([folders, halves], ignore_keys='dataset_name')
    sampler = SharesSampler(joined, [1, 1], seed=0)
    assert [sampler.index_at(k) < 3 for k in range(1000)].count(True) == 500
