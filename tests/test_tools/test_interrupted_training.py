"""Trainings that are killed or stopped by signals end as undisturbed ones; a work_dir has one training."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
import torch
from attentive_gan.engine.runner.work_dir import owned
from support.runs import REPOSITORY, TINY_CONFIG, data_options, environment, tool, write_pairs

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


@pytest.mark.parametrize(
    ('fault', 'words'),
    [('kill', 'was ended from outside'), ('hang', 'made no batch within 3 seconds')],
)
def test_lost_and_hanging_workers_end_in_one_line(data, tmp_path, fault, words):
    timeout = 3 if fault == 'hang' else 60  # workers of a busy machine start slowly
    options = ['train_dataloader.num_workers=1', f'train_dataloader.timeout={timeout}']
    done = train(data, tmp_path, options=options, WORKER_FAULT=fault)
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    for part in ('error: a worker of the data loader', words, '_rain.png', '--resume'):
        assert part in last


def test_too_little_shared_memory_ends_in_one_line(data, tmp_path):
    command = 'mount -t tmpfs -o size=100k none /dev/shm && exec "$@"'
    enter = ['unshare', '-rm', 'sh', '-c', command, 'sh']
    if (
        not shutil.which('unshare')
        or subprocess.run([*enter, 'true'], capture_output=True).returncode
    ):
        pytest.skip('this machine gives no mount namespaces')
    words = [
        sys.executable, REPOSITORY / 'tools/train.py', TINY_CONFIG, '--work-dir', tmp_path,
        '--cfg-options', *data_options(data), 'train_dataloader.num_workers=2',
        'train_dataloader.batch_size=16',
    ]  # fmt: skip
    done = subprocess.run(
        [*enter, *map(str, words)], capture_output=True, text=True, env=environment(), timeout=100
    )
    assert done.returncode == 1, done.stderr[-2000:]
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: /dev/shm has 0.1 MB free')
    assert 'num_workers=0' in last
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


def test_a_change_without_effect_is_refused(stopped, data, tmp_path):
    done = goes_on(stopped, data, tmp_path, 'optim_wrapper.generator.optimizer.type=AdamW')
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "optim_wrapper.generator.optimizer.type: 'Adam' -> 'AdamW'" in last
    assert 'load_from' in last


def test_other_images_of_the_same_number_are_refused(stopped, data, tmp_path):
    others = shutil.copytree(data, tmp_path / 'others')
    for path in (others / 'data' / '5_rain.png', others / 'gt' / '5_clean.png'):
        path.rename(path.with_name(path.name.replace('5', '7')))
    done = goes_on(stopped, others, tmp_path / 'work')
    assert done.returncode == 1
    assert 'cannot be resumed as the same training (names ' in done.stderr.strip().splitlines()[-1]


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
