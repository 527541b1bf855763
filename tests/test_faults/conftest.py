"""Fixtures of the faults: the program that they are injected into, and its undisturbed training."""

from __future__ import annotations

import pytest
import torch
from support.runs import write_pairs
from support.targets import TARGETS


@pytest.fixture(scope='session')
def target(request):
    """The program that trains (`--target`)."""
    return TARGETS[request.config.getoption('--target')]


@pytest.fixture(scope='session')
def data(tmp_path_factory):
    """Five pairs of images: not divisible by two processes."""
    return write_pairs(tmp_path_factory.mktemp('data') / 'pairs', 5)


class Whole:
    """Undisturbed trainings, made when they are first compared with."""

    def __init__(self, target, data, folders):
        self._target, self._data, self._folders, self._made = target, data, folders, {}

    def work_dir(self, **wanted):
        """Return the folder of a training with some options."""
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            work_dir = self._folders.mktemp('whole')
            done = self._target.train(self._data, work_dir, **wanted)
            assert done.returncode == 0, done.stderr
            self._made[key] = work_dir
        return self._made[key]

    def assert_reached(self, work_dir, **wanted):
        """Weights, optimizers and best score are those of the undisturbed training, bit by bit."""
        expected = self._target.state(self.work_dir(**wanted))
        torch.testing.assert_close(self._target.state(work_dir), expected, rtol=0, atol=0)


@pytest.fixture(scope='session')
def whole(target, data, tmp_path_factory):
    """Undisturbed trainings."""
    return Whole(target, data, tmp_path_factory)


@pytest.fixture
def run(target, data, tmp_path):
    """Return a function that trains in this test's work_dir."""
    return lambda **wanted: target.train(data, tmp_path, **wanted)
