"""Training, resuming and testing through the command line, in one and in two processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from support.runs import REPOSITORY, TINY_CONFIG, data_options, tool, write_pairs
from support.targets import OwnTarget

TARGET = OwnTarget()


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp('data') / 'pairs')


def train(data, work_dir, *arguments, options=(), **variables):
    """Train the tiny GAN and return the finished process."""
    return tool(
        'train.py', TINY_CONFIG, '--work-dir', work_dir, *arguments,
        '--cfg-options', *data_options(data), *options, **variables,
    )  # fmt: skip


def state(work_dir: Path, iteration: int = 6) -> dict:
    """Read a checkpoint of a work directory."""
    return torch.load(work_dir / f'iter_{iteration}.pth', weights_only=True)


def differences(first, second, path=''):
    """List where two nested states differ, bit by bit."""
    if isinstance(first, torch.Tensor):
        return [] if torch.equal(first, second) else [path]
    if isinstance(first, dict):
        keys = set(first) | set(second)
        return [
            d for key in keys for d in differences(first.get(key), second.get(key), f'{path}.{key}')
        ]
    if isinstance(first, (list, tuple)):
        return [
            d
            for i, (a, b) in enumerate(zip(first, second, strict=True))
            for d in differences(a, b, f'{path}.{i}')
        ]
    return [] if first == second else [path]


def assert_same_training(first: dict, second: dict):
    """Weights, optimizers, schedules and random states are equal to the last bit."""
    for part in ('state_dict', 'optimizer', 'param_schedulers', 'random_states'):
        assert differences(first[part], second[part]) == []


@pytest.fixture(scope='module')
def whole(data, tmp_path_factory):
    """An uninterrupted training."""
    work_dir = tmp_path_factory.mktemp('whole')
    done = train(data, work_dir)
    assert done.returncode == 0, done.stderr
    return work_dir, done


def test_training_leaves_everything_in_its_work_dir(whole):
    work_dir, done = whole
    names = {path.name for path in work_dir.iterdir()}
    assert {'iter_2.pth', 'iter_4.pth', 'iter_6.pth', 'last_checkpoint', 'scores'} <= names
    assert list(work_dir.glob('best_test_a_qian_psnr_iter_*.pth'))
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'iter_6.pth')
    for loss in ('loss_multi_scale', 'loss_attention', 'loss_g_adversarial', 'loss_d_map'):
        assert loss in done.stdout


def test_the_console_is_readable_and_the_log_file_complete(whole):
    work_dir, done = whole
    log = next(work_dir.glob('*/*.log')).read_text()
    log = log.replace(' = ', '=')  # the config is not formatted
    for text in ('System environment', 'train_dataloader=dict('):
        assert text not in done.stdout
        assert text in log
    assert 'FileClient' not in done.stdout + done.stderr


def test_stages_start_when_the_config_says(whole):
    """The discriminator learns from iteration 1, the generator learns from it from iteration 2."""
    work_dir, _ = whole
    log = next(work_dir.glob('*/vis_data/*.json')).read_text().splitlines()
    rows = {row['step']: row for row in map(json.loads, log) if 'loss_multi_scale' in row}
    has = {
        name: [name in rows[step] for step in (1, 2, 3)]
        for name in ('loss_d_adversarial', 'loss_g_adversarial')
    }
    assert has == {
        'loss_d_adversarial': [False, True, True],
        'loss_g_adversarial': [False, False, True],
    }


def test_a_finished_training_can_be_prolonged(data, tmp_path):
    assert train(data, tmp_path, options=['train_cfg.max_iters=2']).returncode == 0
    resumed = train(data, tmp_path, '--resume', options=['train_cfg.max_iters=3'])
    assert resumed.returncode == 0, resumed.stderr
    assert 'planned for 2 iterations and now goes on to 3' in resumed.stdout + resumed.stderr
    assert (tmp_path / 'iter_3.pth').is_file()


def test_testing_gives_the_score_of_the_last_validation(data, whole, tmp_path):
    work_dir, _ = whole
    done = tool(
        'test.py', TINY_CONFIG, work_dir / 'iter_6.pth', '--work-dir', tmp_path,
        '--out', tmp_path / 'scores.json', '--cfg-options', *data_options(data),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tested = json.loads((tmp_path / 'scores.json').read_text())
    log = next(work_dir.glob('*/vis_data/*.json')).read_text().splitlines()
    validated = [row for row in map(json.loads, log) if 'test_a/qian_psnr' in row][-1]
    assert tested['test_a/qian_psnr'] == pytest.approx(validated['test_a/qian_psnr'], abs=1e-9)
    assert len(list((tmp_path / 'images').rglob('comparison/*.png'))) == 6
    assert len(list((tmp_path / 'images').rglob('restored/*.png'))) == 6
    assert len(list((tmp_path / 'images').glob('*/overview.png'))) == 1


def test_two_processes_resume_exactly_and_test_alike_in_one(data, tmp_path):
    """MMEngine saves keys that it cannot read back and goes on from random weights."""
    runs = {name: tmp_path / name for name in ('whole', 'stopped')}
    done = TARGET.train(data, runs['whole'], ranks=2)
    assert done.returncode == 0, done.stderr
    saved = state(runs['whole'])
    assert not [key for key in saved['state_dict'] if '.module.' in key]
    assert len(saved['random_states']) == 2

    assert TARGET.train(data, runs['stopped'], ranks=2, KILL_AT='5').returncode != 0
    resumed = TARGET.train(data, runs['stopped'], ranks=2, resume=True)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_training(saved, state(runs['stopped']))

    scores = []
    for processes in (0, 2):
        out = tmp_path / f'scores_{processes}.json'
        done = tool(
            'test.py', TINY_CONFIG, runs['whole'] / 'iter_6.pth', '--work-dir', tmp_path / 'test',
            '--out', out, '--cfg-options', *data_options(data), processes=processes,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        scores.append(json.loads(out.read_text())['test_a/qian_psnr'])
    assert scores[0] == pytest.approx(scores[1], abs=1e-9)


def test_rate_really_scales(data, tmp_path):
    done = train(
        data,
        tmp_path,
        '--auto-scale-lr',
        options=['train_dataloader.batch_size=4', 'train_cfg.max_iters=1'],
    )
    assert done.returncode == 0, done.stderr
    rates = [group['lr'] for group in state(tmp_path, 1)['optimizer']['generator']['param_groups']]
    initial = [
        group['initial_lr']
        for group in state(tmp_path, 1)['optimizer']['generator']['param_groups']
    ]
    assert initial == [pytest.approx(2 * 5e-4)], rates


def test_two_processes_train_by_time_and_go_on(tmp_path):
    """They must do the same number of iterations, or one would wait for the other for ever."""
    config = REPOSITORY / 'tests' / 'support' / 'drawn_config.py'

    def by_time(*words):
        done = tool('train.py', config, '--work-dir', tmp_path, *words, processes=2)
        assert done.returncode == 0, done.stderr
        newest = max(tmp_path.glob('iter_*.pth'), key=lambda path: int(path.stem.split('_')[1]))
        return done, int(newest.stem.split('_')[1]), torch.load(newest, weights_only=True)

    done, first, saved = by_time('--minutes', 0.1)
    assert first > 2
    assert 'progress: 0.' in done.stdout
    assert 'loss_g_adversarial' in done.stdout
    assert saved['meta']['loop']['finished']
    assert saved['meta']['loop']['elapsed'] > 0.8 * 6
    done, second, saved = by_time('--minutes', 0.15, '--resume')
    assert second > first
    assert saved['meta']['loop']['elapsed'] > 0.8 * 9
