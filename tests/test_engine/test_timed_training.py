"""Whole trainings of a tiny Attentive GAN: by time, resumed, and without waiting for the device."""

from __future__ import annotations

import itertools
import json

import pytest
import torch
from attentive_gan.config import reading as configuration
from attentive_gan.config.timed import set_minutes
from attentive_gan.errors import UserError
from mmengine.hooks import Hook
from support.host_reads import counted_reads
from support.runs import REPOSITORY

DRAWN_CONFIG = str(REPOSITORY / 'tests' / 'support' / 'drawn_config.py')

#: MMEngine keeps its hubs by name.
NUMBERS = itertools.count()


class Clock(Hook):
    """Turns the budget's clock by a second in every iteration, and by five in every validation."""

    def __init__(self):
        self.now = 0.0
        self.progress = []
        self.validated = []

    def before_train(self, runner):
        runner.train_loop.budget._clock = lambda: self.now

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        rate = runner.optim_wrapper['generator'].optimizer.param_groups[0]['lr']
        self.progress.append((runner.message_hub.get_info('progress'), rate))
        self.now += 1

    def before_val(self, runner):
        self.validated.append(runner.iter)
        self.now += 5


def runner_for(work_dir, minutes=None, hooks=(), **changes):
    config = configuration.load_config(DRAWN_CONFIG)
    config.merge_from_dict(
        dict(
            work_dir=str(work_dir),
            launcher='none',
            experiment_name=f'timed_{next(NUMBERS)}',
            **changes,
        )
    )
    if minutes is not None:
        set_minutes(config, minutes)
    runner = configuration.build_runner(config)
    for hook in hooks:
        runner.register_hook(hook, 'VERY_HIGH')
    return runner


def saved(work_dir):
    return {int(path.stem.split('_')[1]): path for path in work_dir.glob('iter_*.pth')}


def test_a_training_by_time_ends_on_time_with_a_finished_schedule(tmp_path):
    clock = Clock()
    changes = {'train_cfg.max_iters': 100, 'train_cfg.val_interval': 50,
               'default_hooks.checkpoint.interval': 40}  # fmt: skip
    runner = runner_for(tmp_path, 1.0, [clock], **changes)
    runner.train()
    # 60 seconds: 50 iterations and two validations, the first of which decides what is kept free.
    assert runner.iter == 50
    assert clock.now == 60
    assert [iteration == 50 for iteration in clock.validated] == [False, True]
    progress = [p for p, _ in clock.progress]
    assert progress == sorted(progress)
    assert progress[:2] == [0, 0]  # the first iteration may compile and does not count
    assert 0.95 < progress[-1] < 1
    assert clock.progress[-1][1] < 0.01 * 5e-4
    assert sorted(saved(tmp_path)) == [26, 32, 44, 50]  # 0.4, the best so far, 0.8, the end
    log = next(tmp_path.glob('*/vis_data/*.json')).read_text().splitlines()
    rows = [row for row in map(json.loads, log) if 'progress' in row]
    assert rows[-1]['progress'] == progress[-1]
    text = next(tmp_path.glob('*/*.log')).read_text()
    assert '[50/50]' in text
    assert 'eta: 0:00:30' in text


def test_it_goes_on_where_it_was_stopped(tmp_path):
    first, second = Clock(), Clock()
    changes = {'train_cfg.max_iters': 100, 'train_cfg.val_interval': 100,
               'default_hooks.checkpoint.interval': 50}  # fmt: skip
    runner_for(tmp_path / 'a', 0.5, [first], **changes).train()
    middle = min(saved(tmp_path / 'a').items())
    runner = runner_for(
        tmp_path / 'b', 0.5, [second], load_from=str(middle[1]), resume=True, **changes
    )
    runner.train()
    assert runner.iter == 30
    assert len(second.progress) == 30 - middle[0]
    assert second.progress[0][0] == pytest.approx(0.5, abs=0.06)
    state = torch.load(tmp_path / 'b' / 'iter_30.pth', weights_only=True)
    assert state['meta']['loop']['minutes'] == 0.5
    assert state['meta']['loop']['elapsed'] == pytest.approx(35, abs=1)  # with the validation

    again = runner_for(tmp_path / 'b', 0.5, [Clock()], resume=True, **changes)
    again.train()  # nothing is left
    assert again.iter == 30
    longer = runner_for(tmp_path / 'b', 1.0, [Clock()], resume=True, **changes)
    longer.train()
    assert longer.iter == 30 + 25  # five of the seconds went into the last validation
    with pytest.raises(UserError, match='is of a training by time'):
        runner_for(tmp_path / 'b', load_from=str(middle[1]), resume=True).train()


def test_a_training_by_iterations_does_not_go_on_by_time(tmp_path):
    runner_for(tmp_path, **{'train_cfg.max_iters': 2}).train()
    with pytest.raises(UserError, match='is of a training by iterations'):
        runner_for(tmp_path, 1.0, resume=True).train()


def test_schedules_by_iterations_have_no_place_in_a_training_by_time(tmp_path):
    loop = dict(_delete_=True, type='TimedTrainLoop', minutes=1)
    with pytest.raises(UserError, match='CosineAnnealingLR depends on the number of iterations'):
        runner_for(tmp_path, train_cfg=loop).train()


def test_wrong_times_are_refused(tmp_path):
    for name in ('minutes', 'val_interval', 'val_minutes'):
        loop = dict(_delete_=True, type='TimedTrainLoop', **{'minutes': 1, name: 0})
        with pytest.raises(UserError, match=rf'train_cfg\.{name}(: expected| must be above 0)'):
            runner_for(tmp_path, train_cfg=loop).train()


def test_hooks_and_optimizers_that_ask_for_the_end_are_content(tmp_path):
    """MMEngine's `EMAHook` wants to begin before the end; accumulating weighs the last iterations."""
    changes = {
        'train_cfg.max_iters': 8,
        'optim_wrapper.generator.accumulative_counts': 2,
        'custom_hooks': [dict(type='EMAHook', ema_type='ForeachEMA', momentum=0.1)],
    }
    clock = Clock()
    runner_for(tmp_path, 0.1, [clock], **changes).train()
    state = torch.load(max(tmp_path.glob('iter_*.pth')), weights_only=True)
    assert state['ema_state_dict']['steps'] == state['meta']['iter'] == len(clock.progress)


def test_a_ruined_training_is_found_before_it_is_saved(tmp_path, monkeypatch):
    """By the name of the loss, though nothing was logged since; and once more before validation."""
    monkeypatch.setenv('POISON_AT', '3')
    changes = {'default_hooks.logger.interval': 100, 'train_dataloader.dataset.length': 500}
    for name, kept in (('default_hooks.checkpoint.interval', [2]), ('train_cfg.val_interval', [])):
        rare = {'default_hooks.checkpoint.interval': 90, 'train_cfg.val_interval': 90}
        work_dir = tmp_path / name
        with pytest.raises(UserError, match=r'loss_multi_scale.* became .* in iteration 3 on'):
            runner_for(work_dir, **changes, **{**rare, name: 2 if kept else 4}).train()
        assert sorted(saved(work_dir)) == kept


class Reads(Hook):
    """Counts what the host reads in an iteration, all hooks included."""

    def __init__(self):
        self.reads = {}

    def before_run(self, runner):
        loop, run_iter = runner.train_loop, runner.train_loop.run_iter

        preprocess = runner.model.data_preprocessor.forward

        def counted(batch):
            with counted_reads() as reads:
                # MMagic's preprocessor looks at sizes of images, which are on the CPU anywhere.
                runner.model.data_preprocessor.forward = uncounted(preprocess, reads)
                run_iter(batch)
            self.reads[loop.iter] = reads

        loop.run_iter = counted


def uncounted(function, reads):
    """Let a function leave no trace in the reads."""

    def call(*args):
        known = len(reads)
        result = function(*args)
        del reads[known:]
        return result

    return call


@pytest.mark.parametrize('minutes', [None, 0.02])
def test_no_iteration_waits_for_the_device_unless_it_logs(tmp_path, minutes):
    """Fused optimizers keep their step counts on the device, as on CUDA."""
    hook = Reads()
    changes: dict = {
        'train_cfg.max_iters': 8,
        'train_cfg.val_interval': 100,
        'default_hooks.checkpoint.interval': 100,
        'default_hooks.logger.interval': 4,
        'train_dataloader.dataset.length': 100,
    }
    for name in ('generator', 'discriminator'):
        changes[f'optim_wrapper.{name}.optimizer.fused'] = True
        changes[f'optim_wrapper.{name}.clip_grad'] = dict(max_norm=1.0)
    runner_for(tmp_path, minutes, [hook], **changes).train()
    quiet = {k: v for k, v in hook.reads.items() if k % 4 and k != max(hook.reads)}
    assert quiet
    assert quiet == {iteration: [] for iteration in quiet}
    assert hook.reads[4] != []
