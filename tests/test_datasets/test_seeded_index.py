"""A sample's random numbers are a function of seed and position, and leaves no trace."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import torch
from attentive_gan.datasets.samplers import SeededIndex, seeded_rng
from attentive_gan.errors import UserError


def numbers() -> tuple:
    return random.random(), np.random.random(3).tolist(), torch.rand(3).tolist()  # noqa: NPY002


def under(seed: int, position: int) -> tuple:
    with seeded_rng(seed, position):
        return numbers()


def test_a_seeded_index_is_an_index():
    index = SeededIndex(3, 17, 5)
    assert list('abcd')[index] == 'd'
    assert index == 3
    assert index + 1 == 4
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(index, protocol))
        assert (again, again.position, again.seed) == (3, 17, 5)
    assert SeededIndex(3, 17).seed is None
    assert repr(index) == 'SeededIndex(3, position=17, seed=5)'


def test_equal_positions_give_equal_numbers():
    random.seed(0)
    torch.manual_seed(0)
    first = under(1, 2)
    random.seed(9)
    torch.manual_seed(9)
    assert under(1, 2) == first


def test_all_three_generators_differ_between_positions():
    results = [
        under(seed, position) for seed, position in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2**31 - 1))
    ]
    for part in range(3):
        assert len({str(result[part]) for result in results}) == len(results)


@pytest.mark.parametrize('fails', [False, True])
def test_outer_state_is_untouched(fails):
    def state() -> tuple:
        generator = np.random.get_state()  # noqa: NPY002
        return (
            random.getstate(),
            generator[1].tolist(),
            generator[2],
            torch.get_rng_state().tolist(),
        )

    before = state()
    try:
        with seeded_rng(4, 5):
            numbers()
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert state() == before


def test_numbers_are_uniform_over_positions():
    values = np.array([under(0, position)[1][0] for position in range(400)])
    assert abs(values.mean() - 0.5) < 0.06
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.15


def test_negative_numbers_are_refused():
    with pytest.raises(UserError, match='seed=-1'), seeded_rng(-1, 0):
        pass
