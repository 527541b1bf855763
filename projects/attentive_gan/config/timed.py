"""Converts a config that trains for a number of iterations to one that trains for a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.config import Config

from attentive_gan.errors import UserError

from .reading import optimizer_wrappers

#: Share of a stage that lasts as long as the training; `AttentiveGAN` takes shares in (0, 1).
LONGEST_STAGE = 1 - 1e-9


def set_minutes(config: Config, minutes: float) -> None:
    """Train for a time (`--minutes`); stages, schedules, validations and checkpoints keep their shares.

    Intervals of logging and visualization stay numbers of iterations.

    Args:
        config: Config to change.
        minutes: Minutes of training, see `TimedTrainLoop`.

    Raises:
        UserError: The config counts epochs, or has a schedule without a counterpart in `ProgressLR`.
    """
    if not minutes > 0:
        raise UserError(f'--minutes must be above 0, not {minutes:g}')
    loop: Any = config.get('train_cfg') or {}
    if loop.get('type') == 'TimedTrainLoop':
        loop.minutes = minutes
        return
    iterations = loop.get('max_iters')
    if not iterations:
        raise UserError(
            f'--minutes: {config.filename} has no train_cfg.max_iters, from which the shares of its '
            'stages and schedules are computed'
        )
    _set_loop(config, minutes, iterations)
    _set_stages(config.model.get('train_cfg') or {}, iterations)
    if config.get('param_scheduler') is not None:
        config.param_scheduler = _schedules(config, iterations)


def _set_stages(stages: dict[str, Any], iterations: int) -> None:
    """Turn the lengths of stages, in iterations, into shares of the training."""
    for name in ('gen_init_steps', 'disc_init_steps'):
        if isinstance(stages.get(name), int) and stages[name] > 0:
            stages[name] = min(stages[name] / iterations, LONGEST_STAGE)


def _set_loop(config: Config, minutes: float, iterations: int) -> None:
    """Replace the training loop and the intervals of validations and checkpoints."""
    interval = config.train_cfg.get('val_interval')
    loop = dict(_delete_=True, type='TimedTrainLoop', minutes=minutes)
    if interval and interval < iterations:
        loop['val_minutes'] = minutes * interval / iterations
    config.merge_from_dict({'train_cfg': loop})
    checkpoint = (config.get('default_hooks') or {}).get('checkpoint')
    if checkpoint and checkpoint.get('type') == 'VerifiedCheckpointHook':
        every = checkpoint.get('interval', -1)
        if 0 < every < iterations:
            checkpoint.share = every / iterations
        checkpoint.interval = -1


def _schedules(config: Config, iterations: int) -> Any:
    """Return the schedules by progress, by optimizer if there are several."""
    schedule = config.param_scheduler
    wrappers = optimizer_wrappers(config)
    if None in wrappers:
        return progress_schedule(schedule, iterations, wrappers[None].optimizer.lr)
    by_name = isinstance(schedule, dict) and 'type' not in schedule
    return {
        name: progress_schedule(
            schedule[name] if by_name else schedule, iterations, part.optimizer.lr
        )
        for name, part in wrappers.items()
    }


def progress_schedule(schedule: Any, iterations: int, rate: float) -> dict[str, Any]:
    """Return the config of the `ProgressLR` that equals schedules by iterations.

    Args:
        schedule: Config of a schedule, or of a warm-up (`LinearLR` upwards from iteration 0) and a
            decay (`CosineAnnealingLR`, `LinearLR` downwards, `PolyLR` of power 1, `ExponentialLR`,
            `MultiStepLR` or `StepLR`); a `ProgressLR` is returned unchanged.
        iterations: Number of iterations of their training.
        rate: Base rate of the optimizer.

    Raises:
        UserError: There is no such `ProgressLR`.
    """
    items = list(schedule) if isinstance(schedule, (list, tuple)) else [schedule]
    if len(items) == 1 and items[0]['type'] == 'ProgressLR':
        return dict(items[0])
    warmups = [item for item in items if _is_warmup(item)]
    decays = [item for item in items if not _is_warmup(item)]
    for item in items:
        if item.get('by_epoch', True):
            raise _no_counterpart(f'{item["type"]} counts epochs')
        if not _is_warmup(item) and item['type'] not in _DECAYS:
            raise _no_counterpart(f'{item["type"]} has no counterpart by progress')
    if len(warmups) > 1 or len(decays) > 1 or any(item.get('begin', 0) for item in warmups):
        raise _no_counterpart('more than a warm-up and a decay')
    result: dict[str, Any] = dict(type='ProgressLR', shape='constant')
    for item in decays:
        result |= _DECAYS[item['type']](item, iterations, rate)
    for item in warmups:
        warmup = item.get('end', iterations) / iterations
        if result.pop('begin', 0.0) > warmup:
            raise _no_counterpart('a pause between warm-up and decay')
        result |= {'warmup': warmup, 'warmup_start': item.get('start_factor', 1 / 3)}
    return result


def _no_counterpart(what: str) -> UserError:
    return UserError(
        f'--minutes: param_scheduler cannot be converted ({what}); write it by progress, '
        "param_scheduler=dict(type='ProgressLR', ...)"
    )


def _is_warmup(item: dict[str, Any]) -> bool:
    """Return whether a schedule is a warm-up."""
    rises = item.get('start_factor', 1 / 3) < item.get('end_factor', 1)
    return bool(item['type'] == 'LinearLR' and rises)


def _window(item: dict[str, Any], iterations: int) -> dict[str, float]:
    """Return begin and end of a decay as shares; those of the whole training are omitted."""
    begin = item.get('begin', 0)
    end = item.get('end', begin + item['T_max'] if 'T_max' in item else iterations)
    window = {'begin': begin / iterations, 'end': min(end / iterations, 1.0)}
    return {name: value for name, value in window.items() if value not in (0.0, 1.0)}


def _lowest(item: dict[str, Any], rate: float) -> float:
    """Return the factor at the end of a schedule with `eta_min`."""
    return float(item.get('eta_min_ratio') or item.get('eta_min', 0.0) / rate)


def _cosine(item: dict[str, Any], iterations: int, rate: float) -> dict[str, Any]:
    return {'shape': 'cosine', 'final': _lowest(item, rate), **_window(item, iterations)}


def _linear(item: dict[str, Any], iterations: int, rate: float) -> dict[str, Any]:
    if item.get('start_factor', 1 / 3) != 1:
        raise _no_counterpart('LinearLR decays from another rate than that of the optimizer')
    return {'shape': 'linear', 'final': item.get('end_factor', 1.0), **_window(item, iterations)}


def _polynomial(item: dict[str, Any], iterations: int, rate: float) -> dict[str, Any]:
    if item.get('power', 1.0) != 1:
        raise _no_counterpart(f'PolyLR of power {item["power"]}')
    return {'shape': 'linear', 'final': _lowest(item, rate), **_window(item, iterations)}


def _exponential(item: dict[str, Any], iterations: int, rate: float) -> dict[str, Any]:
    length = item.get('end', iterations) - item.get('begin', 0)
    final = item['gamma'] ** length
    return {'shape': 'exponential', 'final': final, **_window(item, iterations)}


def _steps(item: dict[str, Any], iterations: int, rate: float) -> dict[str, Any]:
    milestones = item.get('milestones') or range(item['step_size'], iterations, item['step_size'])
    shares = [milestone / iterations for milestone in milestones if milestone < iterations]
    if not shares:
        return {}
    return {'shape': 'step', 'milestones': shares, 'gamma': item.get('gamma', 0.1)}


_DECAYS: dict[str, Callable[[dict[str, Any], int, float], dict[str, Any]]] = {
    'CosineAnnealingLR': _cosine,
    'LinearLR': _linear,
    'PolyLR': _polynomial,
    'ExponentialLR': _exponential,
    'MultiStepLR': _steps,
    'StepLR': _steps,
}
