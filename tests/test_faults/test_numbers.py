"""B. Numbers and determinism."""

from __future__ import annotations

import pytest
import torch


def finite_checkpoints(target, work_dir):
    """Return the iterations of the checkpoints, all of which must be finite."""
    found = []
    for path in work_dir.glob('iter_*.pth'):
        found.append(int(path.stem.removeprefix('iter_')))
        weights = target.state(work_dir, found[-1])['weights'].values()
        assert all(torch.isfinite(value).all() for value in weights if value.is_floating_point())
    return sorted(found)


@pytest.mark.fault('B1')
def test_a_loss_that_is_not_a_number_ends_the_training(target, run, tmp_path):
    done = run(POISON_AT=5)
    assert done.returncode > 0, 'the training reports success'
    last = done.stderr.strip().splitlines()[-1]
    assert 'iteration 5' in last
    assert '_rain.png' in last
    assert 4 in finite_checkpoints(target, tmp_path)


@pytest.mark.fault('B2')
def test_a_weight_that_is_not_a_number_is_not_saved(target, run, tmp_path):
    done = run(POISON_AFTER=4)
    assert done.returncode > 0, 'the training reports success'
    assert 'iter_4.pth' in done.stderr.strip().splitlines()[-1]
    assert finite_checkpoints(target, tmp_path)[:1] == [2]


@pytest.mark.fault('B3')
def test_the_same_seed_gives_the_same_training(run, whole, tmp_path):
    assert run().returncode == 0
    whole.assert_reached(tmp_path)


@pytest.mark.fault('B4')
def test_the_number_of_workers_does_not_matter(run, whole, tmp_path):
    done = run(workers=2)
    assert done.returncode == 0, done.stderr
    whole.assert_reached(tmp_path)


def assert_near(first, second):
    """Weights are equal up to the rounding of other orders of summation, the best score too."""
    for name, value in first['weights'].items():
        torch.testing.assert_close(value, second['weights'][name], rtol=0, atol=1e-5)
    assert first['best'] == pytest.approx(second['best'], rel=1e-4)


@pytest.mark.fault('B5')
def test_the_number_of_threads_hardly_matters(target, run, whole, tmp_path):
    assert run(THREADS=2).returncode == 0
    assert_near(target.state(tmp_path), target.state(whole.work_dir()))


@pytest.mark.fault('B6', 'D5')
def test_two_processes_train_and_validate_as_one(target, run, whole, tmp_path):
    """Of five test images no process may count one twice; one image more would change the score."""
    options = dict(random=False, dropout=0)
    done = run(ranks=2, batch_size=2, **options)
    assert done.returncode == 0, done.stderr
    one = whole.work_dir(batch_size=4, **options)
    assert_near(target.state(tmp_path), target.state(one))
