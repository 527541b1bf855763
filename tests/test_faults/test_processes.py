"""C and D. Workers of a data loader, and processes of a distributed training."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest
from support.runs import REPOSITORY

PLAIN = {'random': False}


@pytest.mark.fault('C6')
def test_a_killed_worker_ends_the_training_with_its_samples(run, tmp_path):
    done = run(workers=1, WORKER_FAULT='kill')
    assert done.returncode > 0
    last = done.stderr.strip().splitlines()[-1]
    assert 'worker' in last, done.stderr[-6000:]
    assert '_rain.png' in last, done.stderr[-6000:]


@pytest.mark.fault('C7')
def test_a_hanging_worker_ends_the_training_with_its_samples(run, tmp_path):
    done = run(workers=1, timeout=3, WORKER_FAULT='hang')
    assert done.returncode > 0
    assert '_rain.png' in done.stderr.strip().splitlines()[-1]


@pytest.mark.fault('C11')
def test_too_little_shared_memory_ends_the_training(target, data, tmp_path):
    command = 'mount -t tmpfs -o size=100k none /dev/shm && exec "$@"'
    enter = ['unshare', '-rm', 'sh', '-c', command, 'sh']
    if (
        not shutil.which('unshare')
        or subprocess.run([*enter, 'true'], capture_output=True).returncode
    ):
        pytest.skip('this machine gives no mount namespaces')
    words = target.words(data, tmp_path, workers=2, batch_size=16, **PLAIN)
    try:
        done = subprocess.run(
            [*enter, sys.executable, *words], capture_output=True, text=True,
            env=target.variables(), cwd=REPOSITORY, timeout=200,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.fail('the training hangs')
    assert done.returncode == 1, done.stderr[-2000:]
    last = done.stderr.strip().splitlines()[-1]
    assert '/dev/shm' in last
    assert 'num_workers=0' in last


@pytest.mark.fault('D1')
def test_a_killed_process_is_restarted(target, data, whole, tmp_path):
    done = target.launch(data, tmp_path, restarts=1, KILL_FIRST_RUN_AT=3, resume='auto', **PLAIN)
    assert done.returncode == 0, done.stderr[-3000:]
    whole.assert_reached(tmp_path, ranks=2, **PLAIN)


@pytest.mark.fault('D2')
def test_a_killed_process_ends_the_others(target, data, tmp_path):
    """Without a launcher, which would end them."""
    started = target.start(data, tmp_path, ranks=2, KILL_AT=3, **PLAIN)
    survivor, killed = (item.wait(100) for item in started)
    assert killed.returncode == -9
    assert survivor.returncode > 0
    assert not [item for item in started if psutil.pid_exists(item.pid)]


@pytest.mark.fault('D3')
def test_a_stopped_process_is_found_within_the_configured_time(target, data, tmp_path):
    waiting, stopped = target.start(data, tmp_path, ranks=2, STOP_AT=3, dist_timeout=5, **PLAIN)
    try:
        done = waiting.wait(90)
    except subprocess.TimeoutExpired:
        pytest.fail('it waits for ever')
    finally:
        with suppress(ProcessLookupError):  # it was too slow to stop
            os.kill(stopped.pid, signal.SIGKILL)
        stopped.wait()
    assert done.returncode > 0


@pytest.mark.fault('D4')
def test_one_process_writes(target, data, tmp_path, tmp_path_factory):
    spied = tmp_path_factory.mktemp('spy') / 'calls'
    started = target.start(data, tmp_path, ranks=2, SPY=spied, max_iters=2, val_interval=2, **PLAIN)
    assert [item.wait().returncode for item in started] == [0, 0]
    logs = [spied.with_name(f'{spied.name}.{item.pid}').read_text() for item in started]
    assert [f'{tmp_path}/iter_2.pth' in log or '.iter_2.pth' in log for log in logs] == [
        True,
        False,
    ]
    assert f'{tmp_path}/' not in logs[1]
