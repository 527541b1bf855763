"""An equal budget changes what counts iterations, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from attentive_gan.config.budget import LEAST_INTERVAL, set_iterations, use_data
from attentive_gan.config.options import has_field
from attentive_gan.config.reading import load_config
from attentive_gan.errors import UserError
from mmengine.config import Config
from support.runs import REPOSITORY

CONFIGS = sorted(
    path for path in (REPOSITORY / 'configs').rglob('*.py') if '_base_' not in path.parts
)
BY_TIME = [path for path in CONFIGS if 'minutes' in load_config(str(path)).train_cfg]


def numbers(node: object, path: str = '') -> dict[str, object]:
    """Return all leaves of a config by dotted path."""
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    else:
        return {path: node}
    leaves: dict[str, object] = {}
    for name, value in items:
        leaves |= numbers(value, f'{path}.{name}')
    return leaves


@pytest.mark.parametrize('path', sorted({*CONFIGS} - {*BY_TIME}), ids=lambda path: path.stem)
def test_schedules_keep_their_share(path: Path) -> None:
    config = load_config(str(path))
    single = config.get('param_scheduler')
    if isinstance(single, dict):
        config.param_scheduler = [single]
    before = numbers(config._cfg_dict.to_dict())
    old = config.train_cfg.max_iters
    set_iterations(config, old * 3)
    changed = {
        name: (before[name], value)
        for name, value in numbers(config._cfg_dict.to_dict()).items()
        if before[name] != value
    }
    assert changed['.train_cfg.max_iters'] == (old, 3 * old)
    for name, (was, now) in changed.items():
        exact = now == 3 * was
        assert exact or (name.endswith('interval') and now == LEAST_INTERVAL), name
    for name in ('.model.train_cfg.gen_init_steps', '.train_cfg.val_interval'):
        assert name in changed or not before.get(name)


@pytest.mark.parametrize('path', BY_TIME, ids=lambda path: path.stem)
def test_trainings_by_time_count_iterations_instead(path: Path) -> None:
    config, before = (load_config(str(path)) for _ in range(2))
    set_iterations(config, 400)
    assert config.train_cfg == dict(type='ResumableTrainLoop', max_iters=400, val_interval=400)
    before.train_cfg = config.train_cfg
    assert config.to_dict() == before.to_dict()


def test_validations_of_a_training_by_time_keep_their_share() -> None:
    loop = dict(type='TimedTrainLoop', minutes=20.0, val_minutes=5.0)
    config = Config(dict(train_cfg=loop, model=dict(train_cfg=dict(gen_init_steps=0.3))))
    set_iterations(config, 1000)
    assert config.train_cfg.val_interval == 250


def test_shares_are_not_scaled() -> None:
    schedules = dict(generator=dict(type='ProgressLR', end=1.0))
    config = Config(
        dict(
            train_cfg=dict(max_iters=100),
            model=dict(train_cfg=dict(gen_init_steps=0.3, disc_init_steps=40)),
            param_scheduler=schedules,
        )
    )
    set_iterations(config, 1000)
    assert config.model.train_cfg == dict(gen_init_steps=0.3, disc_init_steps=400)
    assert config.param_scheduler == schedules


def test_short_trainings_do_not_spend_their_time_on_saving() -> None:
    config = load_config(str(REPOSITORY / 'configs' / 'attgan_raindrop.py'))
    set_iterations(config, 30)
    assert config.train_cfg.val_interval == 30
    assert config.default_hooks.checkpoint.interval == 30
    assert config.default_hooks.logger.interval == 1
    assert config.model.train_cfg == dict(gen_init_steps=6, disc_init_steps=1)


def test_epochs_are_refused() -> None:
    with pytest.raises(UserError, match='max_iters'):
        set_iterations(Config(dict(train_cfg=dict(max_epochs=3))), 10)


def test_data_comes_from_the_other_config() -> None:
    config = load_config(str(REPOSITORY / 'configs' / 'unet' / 'unet_1xb8-100k_raindrop.py'))
    other = load_config(str(REPOSITORY / 'configs' / 'attentive_gan' / 'attgan_1xb2-500_drawn.py'))
    model = config.model.copy()
    use_data(config, other)
    assert config.train_dataloader.dataset.type == 'DrawnSceneDataset'
    assert config.model == model


def test_fields_of_a_config() -> None:
    config = load_config(str(REPOSITORY / 'configs' / 'unet' / 'unet_1xb8-100k_raindrop.py'))
    assert has_field(config, 'train_dataloader.dataset.pipeline.0.type')
    assert not has_field(config, 'model.perceptual_loss')


def test_only_hooks_that_cost_time_run_less_often() -> None:
    hooks = [
        dict(type='ExponentialMovingAverageHook', interval=1),
        dict(type='SampleGridHook', interval=9),
    ]
    config = Config(dict(train_cfg=dict(max_iters=100), custom_hooks=hooks))
    set_iterations(config, 1000)
    assert [hook['interval'] for hook in config.custom_hooks] == [1, 90]
