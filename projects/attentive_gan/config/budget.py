"""Changes the number of iterations or the data of a config, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.config import Config

from attentive_gan.errors import UserError

#: Fields that count iterations of the schedule; `*` is every item of a list, a name the items of a type.
SCHEDULE_FIELDS = (
    'model.train_cfg.gen_init_steps', 'model.train_cfg.disc_init_steps',
    'param_scheduler.*.begin', 'param_scheduler.*.end', 'param_scheduler.*.T_max',
    'param_scheduler.*.step_size', 'param_scheduler.*.milestones',
    'param_scheduler.*.periods',
)  # fmt: skip

#: Intervals of saving, visualization and validation, which take time.
INTERVAL_FIELDS = (
    'train_cfg.val_interval', 'default_hooks.checkpoint.interval', 'default_hooks.sample_grid.interval',
    'custom_hooks.SampleGridHook.interval',
)  # fmt: skip

#: Smallest of these intervals in a shortened training, in iterations.
LEAST_INTERVAL = 50

#: Fields that define the data of training, validation and test.
DATA_FIELDS = (
    'data_root', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'val_evaluator',
    'test_evaluator', 'val_cfg', 'test_cfg',
)  # fmt: skip


def set_iterations(config: Config, iterations: int) -> None:
    """Set `train_cfg.max_iters` and scale every other number of iterations with it.

    Schedules and intervals keep their shares of the training; intervals stay between `LEAST_INTERVAL` and
    the number of iterations, and the number of log lines stays the same. The loop of a training by time,
    whose schedules and stages are shares already, is replaced by one of iterations.

    Args:
        config: Config to change; a single schedule becomes a list.
        iterations: New number of iterations.

    Raises:
        UserError: The config has neither a number of iterations nor a time.
    """
    loop: Any = config.get('train_cfg') or {}
    if loop.get('type') == 'TimedTrainLoop':
        _count_iterations(config, iterations)
        return
    old = loop.get('max_iters')
    if not old:
        raise UserError(f'{config.filename}: it has no train_cfg.max_iters that could be changed')
    schedule = config.get('param_scheduler')
    if isinstance(schedule, dict) and 'type' in schedule:
        config.param_scheduler = [schedule]
    factor = iterations / old
    for name in (*SCHEDULE_FIELDS, 'default_hooks.logger.interval'):
        _change(config, name.split('.'), lambda value: _scaled(value, factor))
    for name in INTERVAL_FIELDS:
        _change(
            config, name.split('.'),
            lambda value: min(max(_scaled(value, factor), LEAST_INTERVAL), iterations),
        )  # fmt: skip
    config.train_cfg.max_iters = iterations


def _count_iterations(config: Config, iterations: int) -> None:
    """Train a config by time for a number of iterations instead."""
    share = config.train_cfg.get('val_minutes', 0) / config.train_cfg.minutes
    loop = dict(type='ResumableTrainLoop', max_iters=iterations)
    loop['val_interval'] = config.train_cfg.get('val_interval') or (
        min(max(round(share * iterations), LEAST_INTERVAL), iterations) if share else iterations
    )
    config.merge_from_dict({'train_cfg': dict(loop, _delete_=True)})


def use_data(config: Config, other: Config) -> None:
    """Copy data sets, pipelines, metrics and the score that selects the best checkpoint from a config.

    Args:
        config: Config to change.
        other: Config whose data is copied.
    """
    for name in DATA_FIELDS:
        if name in other:
            config[name] = other[name]
    config.default_hooks.checkpoint.save_best = other.default_hooks.checkpoint.save_best


def _change(node: Any, path: list[str], change: Callable[[Any], Any]) -> None:
    """Replace the values at a path, if it exists."""
    first, rest = path[0], path[1:]
    if isinstance(node, (list, tuple)):
        for item in node:
            if first in ('*', item.get('type')):
                _change(item, rest, change)
    elif isinstance(node, (dict, Config)) and node.get(first) is not None:
        if rest:
            _change(node[first], rest, change)
        else:
            node[first] = change(node[first])


def _scaled(value: Any, factor: float) -> Any:
    """Scale a number or each of a list; 0 and shares stay, nothing else becomes 0."""
    if isinstance(value, (list, tuple)):
        return [_scaled(item, factor) for item in value]
    if isinstance(value, float):
        return value
    return max(round(value * factor), 1) if value else value
