"""Trainings that are killed or stopped by signals end as undisturbed ones; a work_dir has one training."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
import torch
from attentive_gan.engine.runner.work_dir import owned
from support.runs import TINY_CONFIG, data_options, environment, tool, write_pairs
from support.targets import OwnTarget

pytestmark = pytest.mark.fault


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp('data') / 'pairs')


def train(data, work_dir, *arguments, options=(), **variables):
    return tool(
        'train.py', TINY_CONFIG, '--work-dir', work_dir, *arguments,
        '--cfg-options', *data_options(data), *options, **variables,
    )  # fmt: skip


@pytest.fixture(scope='module')
def whole(data, tmp_path_factory):
    """An uninterrupted training."""
    work_dir = tmp_path_factory.mktemp('whole')
    done = train(data, work_dir)
    assert done.returncode == 0, done.stderr
    return work_dir


@pytest.mark.parametrize(('number', 'code', 'name'), [(15, 143, 'SIGTERM'), (2, 130, 'SIGINT')])
def test_signals_say_what_was_saved(data, tmp_path, number, code, name):
    stopped = train(
        data, tmp_path, options=['train_dataloader.num_workers=1'], SIGNALS_AT=f'3:{number}'
    )
    assert stopped.returncode == code, stopped.stderr
    last = stopped.stderr.strip().splitlines()[-1]
    assert last.startswith(f'stopped by {name}: iteration 3 is saved as ')
    assert last.endswith('iter_3.pth; go on with --resume')
    assert 'Traceback' not in stopped.stderr


@pytest.mark.fault('A3')
def test_a_second_signal_ends_at_once(data, tmp_path):
    stopped = train(data, tmp_path, SIGNALS_AT='3:15,15')
    assert stopped.returncode == 143
    assert 'SIGTERM again' in stopped.stderr
    assert not (tmp_path / 'iter_3.pth').exists()


def test_processes_stop_together(data, tmp_path):
    stopped = OwnTarget().train(data, tmp_path, ranks=2, SIGNALS_AT='3:15')
    assert stopped.returncode == 143
    assert stopped.stderr.count('iteration 4 is saved as') == 2
    assert torch.load(tmp_path / 'iter_4.pth', weights_only=True)['meta']['iter'] == 4


def test_a_used_work_dir_is_refused(data, whole, tmp_path):
    (tmp_path / 'iter_4.pth').write_bytes((whole / 'iter_4.pth').read_bytes())
    refused = train(data, tmp_path)
    assert refused.returncode == 1
    for words in ('iter_4.pth', '--resume auto', 'another --work-dir'):
        assert words in refused.stderr.splitlines()[-1]


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


@pytest.mark.fault('A9')
def test_a_work_dir_that_cannot_be_written_is_named(data, tmp_path):
    (tmp_path / 'file').write_text('')
    done = train(data, tmp_path / 'file' / 'work')
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith('error: work_dir ')
    assert 'Traceback' not in done.stderr


@pytest.fixture(scope='module')
def stopped(data, tmp_path_factory):
    """A training that ended after iteration 4 of 6."""
    work_dir = tmp_path_factory.mktemp('stopped')
    assert train(data, work_dir, SIGNALS_AT='4:15').returncode == 143
    return work_dir


def goes_on(stopped, data, work_dir, *options):
    shutil.copytree(stopped, work_dir, dirs_exist_ok=True)
    return train(data, work_dir, '--resume', options=options)


def rates(work_dir, iteration):
    content = torch.load(work_dir / f'iter_{iteration}.pth', weights_only=True)
    lowest = content['param_schedulers']['generator'][-1]['eta_min']
    return [
        group['lr'] - lowest for group in content['optimizer']['generator']['param_groups']
    ], lowest


@pytest.mark.fault('A11')
def test_another_rate_takes_effect(stopped, whole, data, tmp_path):
    options = ['optim_wrapper.generator.optimizer.lr=5e-5', 'model.map_target=mask']
    done = goes_on(stopped, data, tmp_path, *options)
    assert done.returncode == 0, done.stderr
    log = done.stdout + done.stderr
    assert 'Changed base rates take effect: generator: 0.0005 -> 5e-05' in log
    assert "model.map_target: 'attention' -> 'mask'" in log
    (before,), lowest = rates(whole, 6)
    (after,), _ = rates(tmp_path, 6)
    assert after / before == pytest.approx((5e-5 - lowest) / (5e-4 - lowest))


@pytest.mark.fault('A11')
def test_a_change_without_effect_is_refused(stopped, data, tmp_path):
    done = goes_on(stopped, data, tmp_path, 'optim_wrapper.generator.optimizer.type=AdamW')
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "optim_wrapper.generator.optimizer.type: 'Adam' -> 'AdamW'" in last
    assert 'load_from' in last


def test_going_on_from_an_older_checkpoint_sets_newer_ones_aside(whole, data, tmp_path):
    """Else the next --resume would go on from the newer one, which is of another training."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    done = train(data, tmp_path, '--resume', tmp_path / 'iter_2.pth', KILL_AT='3')
    assert done.returncode == -9
    names = {path.name for path in tmp_path.glob('*iter_*.pth') if not path.name.startswith('best')}
    assert names == {
        'iter_2.pth',
        'superseded_iter_3.pth',
        'superseded_iter_4.pth',
        'superseded_iter_6.pth',
    }
