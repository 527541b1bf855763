"""A sample's randomness is a function of seed and draw, and leaves no trace."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import torch
from attentive_gan.datasets.samplers.draws import Draw, seeded
from attentive_gan.errors import UserError


def numbers() -> tuple:
    return random.random(), np.random.random(3).tolist(), torch.rand(3).tolist()  # noqa: NPY002


def under(seed: int, draw: int) -> tuple:
    with seeded(seed, draw):
        return numbers()


def test_draw_is_an_index():
    draw = Draw(3, 17, 5)
    assert list('abcd')[draw] == 'd'
    assert draw == 3
    assert draw + 1 == 4
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(draw, protocol))
        assert (again, again.draw, again.seed) == (3, 17, 5)
    assert Draw(3, 17).seed is None
    assert repr(draw) == 'Draw(index=3, draw=17, seed=5)'


def test_equal_draws_give_equal_numbers():
    random.seed(0)
    torch.manual_seed(0)
    first = under(1, 2)
    random.seed(9)
    torch.manual_seed(9)
    assert under(1, 2) == first


def test_all_three_generators_differ_between_draws():
    results = [under(seed, draw) for seed, draw in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2**31 - 1))]
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
        with seeded(4, 5):
            numbers()
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert state() == before


def test_numbers_are_uniform_over_draws():
    values = np.array([under(0, draw)[1][0] for draw in range(400)])
    assert abs(values.mean() - 0.5) < 0.06
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.15


def test_negative_numbers_are_refused():
    with pytest.raises(UserError, match='seed=-1'), seeded(-1, 0):
        pass
