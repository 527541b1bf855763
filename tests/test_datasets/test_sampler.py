"""Indices are a function of seed, iteration and process."""

from __future__ import annotations

from itertools import islice

import pytest
from attentive_gan.datasets.samplers import SeededSampler

DATA = list(range(10))


def draws(sampler, count):
    return [(int(index), index.position) for index in islice(sampler, count)]


def test_each_epoch_visits_every_sample_once_in_another_order():
    drawn = draws(SeededSampler(DATA, seed=1), 30)
    epochs = [[index for index, _ in drawn[start : start + 10]] for start in (0, 10, 20)]
    assert all(sorted(epoch) == DATA for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert [position for _, position in drawn] == list(range(30))


def test_seed_decides():
    assert draws(SeededSampler(DATA, seed=1), 20) == draws(SeededSampler(DATA, seed=1), 20)
    assert draws(SeededSampler(DATA, seed=1), 20) != draws(SeededSampler(DATA, seed=2), 20)


@pytest.mark.parametrize('iteration', [1, 3, 7])
def test_starting_late_continues_exactly(iteration):
    whole = SeededSampler(DATA, seed=3)
    whole.start_at(0, batch_size=4)
    late = SeededSampler(DATA, seed=3)
    late.start_at(iteration, batch_size=4)
    assert draws(late, 12) == draws(whole, iteration * 4 + 12)[iteration * 4 :]


def test_processes_share_each_global_batch():
    """Two processes with batches of 2 see what one process with batches of 4 sees."""
    single = SeededSampler(DATA, seed=5)
    single.start_at(0, batch_size=4)
    parts = []
    for rank in (0, 1):
        sampler = SeededSampler(DATA, seed=5)
        sampler.rank, sampler.world_size = rank, 2
        sampler.start_at(0, batch_size=2)
        parts.append(draws(sampler, 6))
    joined = [draw for k in range(3) for part in parts for draw in part[2 * k : 2 * k + 2]]
    assert joined == draws(single, 12)


def test_without_shuffling_the_order_is_the_data_sets():
    assert [index for index, _ in draws(SeededSampler(DATA, shuffle=False, seed=0), 12)] == [
        *DATA,
        0,
        1,
    ]


def test_indices_carry_the_seed():
    """So that --seed changes the crops, not only the order."""
    assert next(iter(SeededSampler(DATA, seed=7))).seed == 7
