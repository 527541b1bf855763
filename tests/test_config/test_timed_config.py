"""Any config becomes one by time: stages and schedules keep their shares."""

from __future__ import annotations

import pytest
from attentive_gan.config.reading import load_config
from attentive_gan.config.timed import progress_schedule, set_minutes
from attentive_gan.errors import UserError
from support.runs import REPOSITORY

CONFIGS = sorted(
    path
    for path in (REPOSITORY / 'configs').rglob('*.py')
    if not {'_base_', 'small_comparison'} & {*path.parts} and '-test-b' not in path.name
)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_every_config_can_be_trained_by_time(path):
    before, config = load_config(str(path)), load_config(str(path))
    set_minutes(config, 10)
    if before.train_cfg.type == 'TimedTrainLoop':
        before.train_cfg.minutes = 10
        assert config.to_dict() == before.to_dict()
        return
    iterations = before.train_cfg.max_iters
    assert config.train_cfg == dict(
        type='TimedTrainLoop',
        minutes=10,
        val_minutes=10 * before.train_cfg.val_interval / iterations,
    )
    checkpoint = config.default_hooks.checkpoint
    assert checkpoint.interval == -1
    assert checkpoint.share == before.default_hooks.checkpoint.interval / iterations
    stages, shares = (c.model.get('train_cfg') or {} for c in (before, config))
    for name in ('gen_init_steps', 'disc_init_steps'):
        assert shares.get(name, 0) == stages.get(name, 0) / iterations


def test_a_stage_longer_than_the_training_does_not_end():
    config = load_config(str(REPOSITORY / 'configs' / 'attgan_raindrop.py'))
    config.model.train_cfg.gen_init_steps = 200_000
    set_minutes(config, 10)
    assert 0.999 < config.model.train_cfg.gen_init_steps < 1


def test_the_main_config_keeps_its_recipe():
    config = load_config(str(REPOSITORY / 'configs' / 'attgan_raindrop.py'))
    set_minutes(config, 90)
    assert config.model.train_cfg == dict(gen_init_steps=0.2, disc_init_steps=0.02)
    assert config.param_scheduler == {
        'generator': dict(type='ProgressLR', shape='cosine', final=1e-6 / 5e-4),
        'discriminator': dict(type='ProgressLR', shape='cosine', final=1e-6 / 2e-4),
    }
    set_minutes(config, 30)
    assert (config.train_cfg.minutes, config.model.train_cfg.gen_init_steps) == (30, 0.2)


@pytest.mark.parametrize(
    ('schedule', 'expected'),
    [
        (
            [
                dict(type='LinearLR', start_factor=0.01, end=200),
                dict(type='CosineAnnealingLR', eta_min=0.1),
            ],
            dict(shape='cosine', final=0.2, warmup=0.2, warmup_start=0.01),
        ),
        (
            [
                dict(type='LinearLR', start_factor=0.5, end=200),
                dict(type='CosineAnnealingLR', begin=200, end=1000, T_max=800),
            ],
            dict(shape='cosine', final=0.0, warmup=0.2, warmup_start=0.5),
        ),
        (dict(type='CosineAnnealingLR', T_max=500), dict(shape='cosine', final=0.0, end=0.5)),
        (
            dict(type='LinearLR', start_factor=1.0, end_factor=0.1, begin=400),
            dict(shape='linear', final=0.1, begin=0.4),
        ),
        (dict(type='PolyLR', eta_min=0.05), dict(shape='linear', final=0.1)),
        (dict(type='ExponentialLR', gamma=0.999), dict(shape='exponential', final=0.999**1000)),
        (
            dict(type='MultiStepLR', milestones=[300, 500, 2000], gamma=0.2),
            dict(shape='step', milestones=[0.3, 0.5], gamma=0.2),
        ),
        (dict(type='StepLR', step_size=400), dict(shape='step', milestones=[0.4, 0.8], gamma=0.1)),
        (
            dict(type='LinearLR', start_factor=0.1, end=100),
            dict(shape='constant', warmup=0.1, warmup_start=0.1),
        ),
        (dict(type='ProgressLR', shape='linear'), dict(shape='linear')),
    ],
)  # fmt: skip
def test_schedules_keep_their_kind(schedule, expected):
    items = schedule if isinstance(schedule, list) else [schedule]
    for item in items:
        if item['type'] != 'ProgressLR':
            item.setdefault('by_epoch', False)
    assert progress_schedule(schedule, 1000, 0.5) == dict(type='ProgressLR', **expected)


@pytest.mark.parametrize(
    ('schedule', 'message'),
    [
        (dict(type='CosineAnnealingLR'), 'counts epochs'),
        (dict(type='OneCycleLR', by_epoch=False), 'OneCycleLR has no counterpart'),
        (dict(type='PolyLR', power=0.9, by_epoch=False), 'power 0.9'),
        ([dict(type='StepLR', step_size=9, by_epoch=False)] * 2, 'more than a warm-up and a decay'),
        (
            [
                dict(type='LinearLR', by_epoch=False, end=100),
                dict(type='CosineAnnealingLR', by_epoch=False, begin=300),
            ],
            'a pause',
        ),
    ],
)
def test_what_has_no_counterpart_is_refused(schedule, message):
    with pytest.raises(UserError, match=message):
        progress_schedule(schedule, 1000, 0.5)


def test_wrong_times_are_refused():
    config = load_config(str(CONFIGS[0]))
    with pytest.raises(UserError, match='--minutes must be above 0, not -1'):
        set_minutes(config, -1)
    config.train_cfg.pop('max_iters')
    with pytest.raises(UserError, match=r'no train_cfg\.max_iters'):
        set_minutes(config, 1)
