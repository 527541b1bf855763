"""Trainings that are killed or stopped by signals end as undisturbed ones; a work_dir has one training."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from attentive_gan.engine.runner.work_dir import owned
from support.runs import TINY_CONFIG, data_options, environment, tool, write_pairs

pytestmark = pytest.mark.fault


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp('data') / 'pairs')


def train(data, work_dir, *arguments, options=(), **variables):
    return tool(
        'train.py', TINY_CONFIG, '--work-dir', work_dir, *arguments,
        '--cfg-options', *data_options(data), *options, **variables,
    )  # fmt: skip


def final(work_dir, iteration=6):
    """Return weights, optimizers, schedules, random states and the best score of a training."""
    content = torch.load(work_dir / f'iter_{iteration}.pth', weights_only=True)
    parts = {part: content[part] for part in ('state_dict', 'optimizer', 'random_states')}
    return {**parts, 'best': content['message_hub']['runtime_info']['best_score']}


def assert_equal(first, second):
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def best(work_dir):
    return [path.name for path in work_dir.glob('best_*')]


@pytest.fixture(scope='module')
def whole(data, tmp_path_factory):
    """An uninterrupted training."""
    work_dir = tmp_path_factory.mktemp('whole')
    done = train(data, work_dir)
    assert done.returncode == 0, done.stderr
    return work_dir


@pytest.mark.parametrize(
    'fault', [{'KILL_IN_SAVE': '4'}, {'KILL_IN_VAL': '6'}], ids=lambda fault: next(iter(fault))
)
def test_killed_trainings_go_on_to_the_same_end(data, whole, tmp_path, fault):
    options = ['default_hooks.checkpoint.max_keep_ckpts=1']
    killed = train(data, tmp_path, '--resume', 'auto', options=options, **fault)
    assert killed.returncode == -9, killed.stderr
    resumed = train(data, tmp_path, '--resume', 'auto', options=options)
    assert resumed.returncode == 0, resumed.stderr
    assert_equal(final(whole), final(tmp_path))
    assert best(whole) == best(tmp_path)
    assert (tmp_path / 'scores' / 'val_iter_6').is_dir()
    assert list(tmp_path.glob('.*.tmp*')) == []


@pytest.mark.parametrize(('number', 'code', 'name'), [(15, 143, 'SIGTERM'), (2, 130, 'SIGINT')])
def test_signals_save_the_running_iteration(data, whole, tmp_path, number, code, name):
    stopped = train(
        data, tmp_path, options=['train_dataloader.num_workers=1'], SIGNALS_AT=f'3:{number}'
    )
    assert stopped.returncode == code, stopped.stderr
    last = stopped.stderr.strip().splitlines()[-1]
    assert last.startswith(f'stopped by {name}: iteration 3 is saved as ')
    assert last.endswith('iter_3.pth; go on with --resume')
    assert 'Traceback' not in stopped.stderr
    resumed = train(data, tmp_path, '--resume')  # validation is due after iteration 3
    assert resumed.returncode == 0, resumed.stderr
    assert (tmp_path / 'scores' / 'val_iter_3').is_dir()
    assert_equal(final(whole), final(tmp_path))


def test_a_second_signal_ends_at_once(data, tmp_path):
    stopped = train(data, tmp_path, SIGNALS_AT='3:15,15')
    assert stopped.returncode == 143
    assert 'SIGTERM again' in stopped.stderr
    assert not (tmp_path / 'iter_3.pth').exists()


def test_processes_stop_together(data, tmp_path):
    stopped = train(data, tmp_path, processes=2, SIGNALS_AT='3:15')
    assert stopped.returncode != 0
    assert 'iteration 4 is saved as' in stopped.stderr
    assert torch.load(tmp_path / 'iter_4.pth', weights_only=True)['meta']['iter'] == 4


def test_a_used_work_dir_is_refused(data, whole, tmp_path):
    (tmp_path / 'iter_4.pth').write_bytes((whole / 'iter_4.pth').read_bytes())
    refused = train(data, tmp_path)
    assert refused.returncode == 1
    for words in ('iter_4.pth', '--resume auto', 'another --work-dir'):
        assert words in refused.stderr.splitlines()[-1]


def test_a_work_dir_has_one_training(data, tmp_path):
    with owned(tmp_path, anew=True):
        refused = train(data, tmp_path)
    assert refused.returncode == 1
    assert f'process {os.getpid()}' in refused.stderr.splitlines()[-1]
    assert 'another training runs in work_dir' in refused.stderr
    assert not list(tmp_path.glob('*.pth'))


def test_the_lock_ends_with_its_process(tmp_path):
    """A kill leaves the file, and workers of the killed process may live some seconds longer."""
    program = (
        'import os, sys, pathlib, subprocess\n'
        'from attentive_gan.engine.runner.work_dir import owned\n'
        'with owned(pathlib.Path(sys.argv[1]), anew=True):\n'
        '    if os.fork() == 0: import time; time.sleep(30)\n'
        '    os.kill(os.getpid(), 9)\n'
    )
    killed = subprocess.run(
        [sys.executable, '-c', program, str(tmp_path)], env=environment(), stdout=subprocess.DEVNULL
    )
    assert killed.returncode == -9
    assert (tmp_path / '.lock').is_file()
    with owned(tmp_path, anew=True):
        pass


def test_a_work_dir_that_cannot_be_written_is_named(data, tmp_path):
    (tmp_path / 'file').write_text('')
    done = train(data, tmp_path / 'file' / 'work')
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith('error: work_dir ')
    assert 'Traceback' not in done.stderr
