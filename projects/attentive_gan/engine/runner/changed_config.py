"""What of a config may change when a training goes on: found, listed, applied or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.optim import OptimWrapperDict

from attentive_gan.engine.schedulers.progress_schedule import ProgressLR

#: Fields that say how a training is started, not what it computes.
_OF_THE_START = ('work_dir', 'launcher', 'resume', 'load_from', 'log_level', 'visualizer')
#: Options of optimizers that choose an implementation; the states of a checkpoint belong to one.
_IMPLEMENTATION = ('params', 'fused', 'foreach', 'capturable', 'differentiable', 'maximize')
#: Longest list of changes in a message.
_SHOWN = 20


def config_fields(config: Mapping[str, Any]) -> dict[str, str]:
    """Return all values of a config as text, by their dotted names.

    Args:
        config: Nested mappings and lists.

    Example:
        >>> config_fields({'model': {'steps': [3, 4]}, 'work_dir': 'a'})
        {'model.steps.0': '3', 'model.steps.1': '4'}
    """
    kept = {name: value for name, value in config.items() if name not in _OF_THE_START}
    return dict(_flattened(kept, ''))


def _flattened(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        items: Any = value.items()
    elif isinstance(value, (list, tuple)) and value:
        items = enumerate(value)
    else:
        plain = isinstance(value, (str, int, float, type(None), Mapping, list, tuple))
        yield name, repr(value) if plain else type(value).__name__
        return
    for key, item in items:
        yield from _flattened(item, f'{name}.{key}' if name else str(key))


def changed_fields(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return what changed, as `old -> new` by dotted name.

    Example:
        >>> changed_fields({'a': '1', 'b': '2'}, {'a': '1', 'b': '3', 'c': '4'})
        {'b': '2 -> 3', 'c': 'absent -> 4'}
    """
    names = sorted(set(before) | set(now))
    pairs = {name: (before.get(name, 'absent'), now.get(name, 'absent')) for name in names}
    return {name: f'{old} -> {new}' for name, (old, new) in pairs.items() if old != new}


def in_words(changes: Mapping[str, str]) -> str:
    """Return changes for a message."""
    words = [f'{name}: {change}' for name, change in changes.items()]
    more = f'; and {len(words) - _SHOWN} more' if len(words) > _SHOWN else ''
    return '; '.join(words[:_SHOWN]) + more


def cannot_take_effect(changes: Mapping[str, str], schedules: list[Any]) -> dict[str, str]:
    """Return the changes that a checkpoint's state would override.

    Args:
        changes: Result of `changed_fields`.
        schedules: All schedules of the training; those that count steps continue from the checkpoint's
            values, while `ProgressLR` follows the config.
    """
    counting = any(not isinstance(schedule, ProgressLR) for schedule in schedules)
    return {
        name: change
        for name, change in changes.items()
        if (counting and name.startswith('param_scheduler'))
        or (name.startswith('optim_wrapper') and name.endswith('optimizer.type'))
    }


def optimizer_options(optim_wrapper: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the options of all parameter groups, by optimizer.

    Args:
        optim_wrapper: Built from the config; before the state of a checkpoint is loaded.
    """
    return {
        name: [
            {key: value for key, value in group.items() if key not in _IMPLEMENTATION}
            for group in part.optimizer.param_groups
        ]
        for name, part in _parts(optim_wrapper).items()
    }


def apply_options(
    optim_wrapper: Any,
    schedules: Mapping[str | None, list[Any]],
    wanted: dict[str, list[dict[str, Any]]],
) -> dict[str, str]:
    """Give optimizers and schedules with the state of a checkpoint the options of the config.

    After a change of the base rate, the present rate and later ones are those of the same schedule from
    the new base rate.

    Args:
        optim_wrapper: The optimizers.
        schedules: Schedules by the name of their optimizer; of a single one by None.
        wanted: Result of `optimizer_options` for the config.

    Returns:
        Changed base rates, as `old -> new` by optimizer.
    """
    changes = {}
    for name, part in _parts(optim_wrapper).items():
        of_part = schedules.get(name, schedules.get(None, []))
        for index, (group, options) in enumerate(
            zip(part.optimizer.param_groups, wanted[name], strict=True)
        ):
            old, new = (g.get('initial_lr', g['lr']) for g in (group, options))
            for key, value in options.items():
                if key != 'lr' and not key.startswith('initial_') and f'initial_{key}' not in group:
                    group[key] = value
            if old != new:
                changes[name] = f'{old:g} -> {new:g}'
                _scale(group, of_part, index, old, new)
    return changes


def _scale(group: dict[str, Any], schedules: list[Any], index: int, old: float, new: float) -> None:
    """Change the base rate of a parameter group; a lowest rate, as of a cosine, stays as it is."""
    lowest = next((item.eta_min for item in schedules if hasattr(item, 'eta_min')), None) or 0.0
    share = (group['lr'] - lowest) / (old - lowest) if old != lowest else 1.0
    group['lr'] = lowest + share * (new - lowest)
    if 'initial_lr' in group:
        group['initial_lr'] = new
    for schedule in schedules:
        if schedule.param_name == 'lr':
            schedule.base_values[index] = new
            schedule._last_value[index] = group['lr']


def _parts(optim_wrapper: Any) -> dict[str, Any]:
    if isinstance(optim_wrapper, OptimWrapperDict):
        return dict(optim_wrapper.items())
    return {'optimizer': optim_wrapper}
