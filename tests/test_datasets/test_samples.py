"""Samples do not depend on worker processes, on the cache, or on anything but seed and position."""

from __future__ import annotations

import gc
import pickle

import numpy as np
import pytest
import torch
from attentive_gan.datasets.image_cache import ImageCache
from attentive_gan.datasets.raindrop_dataset import RaindropDataset
from attentive_gan.datasets.samplers import SeededIndex
from attentive_gan.datasets.transforms import LoadRainyCleanPair
from attentive_gan.errors import UserError
from mmengine.dataset import ConcatDataset, RepeatDataset
from support.pairs import pair_of
from torch.utils.data import DataLoader

PIPELINE = [
    {'type': 'LoadRainyCleanPair'},
    {'type': 'RaindropMask'},
    {'type': 'PairedCrop', 'crop_size': 16},
    {'type': 'PairedFlip'},
    {'type': 'PackInputs', 'meta_keys': ['mask_rule', 'name']},
]
DRAWS = [SeededIndex(index, draw, 1) for draw, index in enumerate([2, 0, 1, 1, 2, 0, 0, 1])]


def flat(sample) -> np.ndarray:
    parts = (sample['inputs'], sample['data_samples'].gt_img, sample['data_samples'].mask)
    return torch.cat(parts).numpy()


def collected(dataset, workers: int) -> np.ndarray:
    loader = DataLoader(dataset, batch_size=2, sampler=DRAWS, num_workers=workers, collate_fn=list)
    return np.stack([flat(sample) for batch in loader for sample in batch])


@pytest.fixture
def root(raindrop_set):
    return str(raindrop_set())


@pytest.mark.parametrize('cache', [False, True])
def test_workers_do_not_change_samples(root, cache):
    dataset = RaindropDataset(data_root=root, pipeline=PIPELINE, cache=cache)
    torch.manual_seed(0)
    alone = collected(dataset, 0)
    assert len({sample.tobytes() for sample in alone}) == len(DRAWS)
    for workers in (1, 2):
        torch.manual_seed(workers)  # PyTorch seeds its workers from this
        np.testing.assert_array_equal(collected(dataset, workers), alone)


def test_seed_and_position_decide(root):
    dataset = RaindropDataset(data_root=root, pipeline=PIPELINE, seed=5)
    sample = flat(dataset[SeededIndex(1, 30)])
    np.testing.assert_array_equal(flat(dataset[SeededIndex(1, 30)]), sample)
    np.testing.assert_array_equal(flat(dataset[SeededIndex(1, 30, 5)]), sample)
    others = [
        flat(dataset[draw])
        for draw in (SeededIndex(1, 31), SeededIndex(1, 30, 6), SeededIndex(0, 30))
    ]
    assert all((other != sample).any() for other in others)
    np.testing.assert_array_equal(flat(dataset[1]), flat(dataset[SeededIndex(1, 1)]))
    np.testing.assert_array_equal(flat(dataset[-1]), flat(dataset[2]))


def test_seeded_indices_pass_through_wrappers(raindrop_set, tmp_path):
    first = RaindropDataset(data_root=str(raindrop_set()), pipeline=PIPELINE)
    other = raindrop_set((5, 6), tmp_path / 'more')
    second = RaindropDataset(data_root=str(other), pipeline=PIPELINE)
    both = ConcatDataset([first, second], ignore_keys='dataset_name')
    expected = flat(second[SeededIndex(1, 77, 3)])
    np.testing.assert_array_equal(flat(both[SeededIndex(4, 77, 3)]), expected)
    repeated = RepeatDataset(second, 3)
    np.testing.assert_array_equal(flat(repeated[SeededIndex(5, 77, 3)]), expected)


def test_samples_leave_the_global_generators_alone(root):
    dataset = RaindropDataset(data_root=root, pipeline=PIPELINE)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    dataset[SeededIndex(0, 9)]
    assert torch.equal(torch.rand(2), expected)


def test_cache_gives_equal_bytes_and_cannot_be_spoilt(root):
    def spoil(results):
        results['img'][:], results['gt'][:] = 0, 0
        return results

    plain = RaindropDataset(data_root=root, pipeline=[PIPELINE[0]])
    cached = RaindropDataset(data_root=root, pipeline=[PIPELINE[0]], cache=True)
    spoiler = RaindropDataset(data_root=root, pipeline=[PIPELINE[0], spoil], cache=True)
    for index in (0, 1, 2, 0, 1, 2):
        for key in ('img', 'gt'):
            np.testing.assert_array_equal(cached[index][key], plain[index][key])
    spoiler[0]
    spoiler.pipeline.transforms.pop()
    np.testing.assert_array_equal(spoiler[0]['img'], plain[0]['img'])


def test_cache_needs_no_file_after_the_first_epoch_even_from_workers(raindrop_set):
    root = raindrop_set()
    dataset = RaindropDataset(data_root=str(root), pipeline=PIPELINE, cache=True)
    first = collected(dataset, 2)
    for file in root.glob('*/*.png'):
        file.unlink()
    np.testing.assert_array_equal(collected(dataset, 2), first)
    np.testing.assert_array_equal(collected(dataset, 0), first)


def test_the_loading_transform_may_ask_for_its_cache_itself(root):
    loading = dict(PIPELINE[0], use_cache=True)
    dataset = RaindropDataset(root, [loading])
    dataset[1]
    assert dataset.pipeline.transforms[0].cache._filled.tolist() == [0, 1, 0]
    with pytest.raises(UserError, match='cache_limit_gib=1e-05'):
        RaindropDataset(root, [dict(loading, cache_limit_gib=1e-5)])
    with pytest.raises(UserError, match='needs LoadRainyCleanPair or LoadCleanImage'):
        RaindropDataset(root, PIPELINE[1:], cache=True)


def test_one_transform_may_serve_several_cached_data_sets(raindrop_set, tmp_path):
    loading = LoadRainyCleanPair(use_cache=True)
    roots = [raindrop_set(numbers, tmp_path / str(numbers[0])) for numbers in ((0, 1), (5, 6))]
    sets = [RaindropDataset(str(root), [loading]) for root in roots]
    for _ in range(2):
        for dataset, first in zip(sets, (0, 5), strict=True):
            np.testing.assert_array_equal(dataset[0]['gt'], pair_of(first)[1])


def test_cache_respects_indices(root):
    dataset = RaindropDataset(data_root=root, pipeline=[PIPELINE[0]], cache=True, indices=[2, 0])
    for _ in range(2):
        np.testing.assert_array_equal(dataset[0]['gt'], pair_of(2)[1])
        np.testing.assert_array_equal(dataset[1]['gt'], pair_of(0)[1])


def test_cache_follows_a_subset_in_place(root):
    dataset = RaindropDataset(data_root=root, pipeline=[PIPELINE[0]], cache=True)
    dataset[0]
    dataset.get_subset_([2, 0])
    for _ in range(2):
        np.testing.assert_array_equal(dataset[0]['gt'], pair_of(2)[1])
        np.testing.assert_array_equal(dataset[1]['gt'], pair_of(0)[1])


def test_cache_is_bounded(root):
    with pytest.raises(
        UserError, match=r'The decoded images of 3 samples need .* cache_limit_gib=1e-05'
    ):
        RaindropDataset(root, PIPELINE, cache=True, cache_limit_gib=1e-5)
    size = 3 * 2 * 24 * 36 * 3
    assert ImageCache([(24, 36)] * 3, size).size == size
    with pytest.raises(UserError):
        ImageCache([(24, 36)] * 3, size - 1)


def test_cache_of_a_spawned_worker_starts_empty(root):
    dataset = RaindropDataset(data_root=root, pipeline=PIPELINE, cache=True)
    dataset[0]
    again = pickle.loads(pickle.dumps(dataset))
    assert not again.pipeline.transforms[0].cache._filled.any()
    np.testing.assert_array_equal(flat(again[0]), flat(dataset[0]))


def test_a_sample_is_never_replaced(root):
    dataset = RaindropDataset(data_root=root, pipeline=[PIPELINE[0], lambda results: None])
    for _ in range(3):
        with pytest.raises(UserError, match=r'1_rain\.png: a transform .* gave no sample'):
            dataset[1]


@pytest.mark.parametrize('workers', [0, 2])
def test_file_that_vanishes_is_named(raindrop_set, workers, monkeypatch):
    # After an error PyTorch waits this long for each worker to end.
    monkeypatch.setattr('torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL', 0.1)
    root = raindrop_set()
    dataset = RaindropDataset(data_root=str(root), pipeline=PIPELINE)
    (root / 'data' / '1_rain.png').unlink()
    with pytest.raises(UserError, match=r'data/1_rain\.png does not exist'):
        collected(dataset, workers)
    gc.collect()


def test_lazy_init_reads_nothing(tmp_path):
    dataset = RaindropDataset(data_root=str(tmp_path / 'nowhere'), lazy_init=True)
    with pytest.raises(UserError, match='does not exist'):
        dataset[0]


def test_negative_seed_is_refused(root):
    with pytest.raises(UserError, match='seed must be 0 or more'):
        RaindropDataset(data_root=root, seed=-1)
