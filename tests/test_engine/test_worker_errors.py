"""What torch reports about lost processes is said in one line with what to do."""

from __future__ import annotations

import os
import signal

import pytest
import torch
from attentive_gan.engine.runner.worker_errors import worker_errors
from attentive_gan.engine.runner.worker_signals import WorkerSignals
from attentive_gan.errors import UserError

pytestmark = pytest.mark.fault

REPORTS = {
    'DataLoader worker (pid 32086) is killed by signal: Killed. ': r'process 32086.*b\.png.*dmesg',
    'DataLoader worker (pid(s) 7, 8) exited unexpectedly': r'process 7, 8.*b\.png',
    'DataLoader worker (pid 9) is killed by signal: Bus error. It is possible that the workers are out of '
    'shared memory.': r'shared memory \(/dev/shm\)',
    'unable to allocate shared memory(shm) for file </torch_3_2>: No space left on device (28)': 'shm-size',
    'DataLoader timed out after 3 seconds': r'within 3 seconds.*b\.png.*timeout',
    '[../gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 15000ms for recv operation':
    r'another process.*did not answer.*env_cfg\.dist_cfg\.timeout',
    '[../gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:4096': 'another process',
}  # fmt: skip


@pytest.mark.parametrize('report', REPORTS)
def test_one_line_with_advice(report):
    with pytest.raises(UserError, match=REPORTS[report]) as found, worker_errors(lambda: ['b.png']):
        raise RuntimeError(report)
    assert '\n' not in str(found.value)


@pytest.mark.parametrize('error', [RuntimeError('size mismatch'), UserError('Broken pipe')])
def test_other_errors_stay(error):
    with pytest.raises(type(error)) as found, worker_errors(list):
        raise error
    assert found.value is error


def test_a_lost_worker_is_found_behind_the_error_of_a_library():
    def as_mmengine_does():
        try:
            raise RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. ')
        except RuntimeError:
            raise SyntaxError('Failed to format the config file')  # noqa: B904

    with pytest.raises(UserError, match=r'process 7.*b\.png'), worker_errors(lambda: ['b.png']):
        as_mmengine_does()


class _Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return torch.full((4,), float(index))


def test_a_worker_that_is_lost_while_its_batch_is_fetched(monkeypatch):
    """torch asks the worker for the memory of the batch; the worker ends before it answers."""
    loader = iter(torch.utils.data.DataLoader(_Numbers(), num_workers=1, prefetch_factor=1))
    (worker,) = loader._workers
    rebuild = torch.multiprocessing.reductions.rebuild_storage_fd

    def lose(cls, df, size):
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # torch's report comes later
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        return rebuild(cls, df, size)

    monkeypatch.setattr(torch.multiprocessing.reductions, 'rebuild_storage_fd', lose)
    before = signal.getsignal(signal.SIGCHLD)
    try:
        with (
            pytest.raises(UserError, match=r'worker.*ended from outside.*b\.png'),
            worker_errors(lambda: ['b.png']),
        ):
            next(loader)
    finally:
        signal.signal(signal.SIGCHLD, before)


def _report(*_):
    raise RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. ')


@pytest.fixture
def signals():
    before = signal.signal(signal.SIGCHLD, _report)
    signals = WorkerSignals()
    signals.take_over()
    yield signals
    signals.release()
    present = signal.getsignal(signal.SIGCHLD)
    signal.signal(signal.SIGCHLD, before)
    assert present is _report


def test_a_lost_worker_is_reported_where_data_are_loaded(signals):
    os.kill(os.getpid(), signal.SIGCHLD)  # inside a save or a line of logging
    with pytest.raises(RuntimeError, match='pid 7'):
        signals.check()
    signals.check()  # once


def test_a_lost_worker_is_reported_at_once_while_data_are_waited_for(signals):
    def _try_get_data():
        os.kill(os.getpid(), signal.SIGCHLD)
        return 'the loader would wait here for ever'

    with pytest.raises(RuntimeError, match='pid 7'):
        _try_get_data()


def test_the_next_training_takes_over_from_one_that_failed(signals):
    following = WorkerSignals()
    following.take_over()
    os.kill(os.getpid(), signal.SIGCHLD)
    with pytest.raises(RuntimeError, match='pid 7'):
        following.check()
    following.release()
