"""Learning rates as functions of the progress of the training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from mmagic.registry import PARAM_SCHEDULERS
from mmengine.logging import MessageHub
from mmengine.optim import _ParamScheduler

Shape = Literal['constant', 'linear', 'cosine', 'exponential', 'step']


@PARAM_SCHEDULERS.register_module()
class ProgressLR(_ParamScheduler):
    """Multiplies learning rates by a factor of the training's progress p in [0, 1].

    From `begin`, the factor rises linearly to 1 during `warmup`, then decays to `final` at `end`; it is
    constant before and after. The training loop sets p (`ResumableTrainLoop` by iterations,
    `TimedTrainLoop` by time), so the schedule fits a training of any length and has no state but the base
    rates. It must be the only schedule of its optimizer.

    Args:
        optimizer: Optimizer or wrapper.
        shape: Decay from 1 to `final`: `constant` (none), `linear`, `cosine`, `exponential`, or `step`
            (times `gamma` at each milestone).
        begin: Progress at which the schedule begins, in [0, 1).
        end: Progress at which it ends, in (begin, 1].
        warmup: Share of the whole training in which the factor rises.
        warmup_start: Factor at the start of the warm-up, in (0, 1].
        final: Factor at the end, in [0, 1]; above 0 for `exponential`.
        milestones: Progress of each step, only for `step`.
        gamma: Factor of each step, only for `step`.
        param_name: Optimizer option that is scheduled.

    Raises:
        ValueError: Values are outside their ranges or inconsistent.
    """

    def __init__(
        self,
        optimizer: Any,
        shape: Shape = 'cosine',
        begin: float = 0.0,
        end: float = 1.0,
        warmup: float = 0.0,
        warmup_start: float = 0.01,
        final: float = 0.0,
        milestones: Sequence[float] = (),
        gamma: float = 0.1,
        param_name: str = 'lr',
    ) -> None:
        # MMEngine's constructor is not called: it counts steps and derives values from the previous ones.
        self.optimizer = optimizer
        self.shape, self.begin, self.end, self.final = shape, begin, end, final
        self.warmup, self.warmup_start = warmup, warmup_start
        self.milestones, self.gamma = tuple(milestones), gamma
        self.param_name = param_name
        self.by_epoch = False
        self._check()
        for group in optimizer.param_groups:
            group.setdefault(f'initial_{param_name}', group[param_name])
        self.base_values = [group[f'initial_{param_name}'] for group in optimizer.param_groups]
        self.set_progress(0.0)

    def _check(self) -> None:
        """Raise if values are invalid."""
        if self.shape not in ('constant', 'linear', 'cosine', 'exponential', 'step'):
            raise ValueError(f'ProgressLR has no shape {self.shape!r}')
        if not 0 <= self.begin < self.end <= 1:
            raise ValueError(
                f'ProgressLR needs 0 <= begin < end <= 1, not {self.begin}, {self.end}'
            )
        if not 0 <= self.warmup <= self.end - self.begin:
            raise ValueError(f'ProgressLR: warmup {self.warmup} is longer than begin to end')
        if not 0 < self.warmup_start <= 1:
            raise ValueError(f'ProgressLR needs 0 < warmup_start <= 1, not {self.warmup_start}')
        if not 0 <= self.final <= 1 or (self.shape == 'exponential' and self.final == 0):
            raise ValueError(f'ProgressLR: final {self.final} does not fit shape {self.shape}')
        if bool(self.milestones) != (self.shape == 'step'):
            raise ValueError("ProgressLR: milestones and shape='step' come together")

    def factor(self, progress: float) -> float:
        """Return the factor of the base rates.

        Args:
            progress: Progress of the training, in [0, 1].
        """
        passed = max(progress - self.begin, 0.0)
        if passed < self.warmup:
            return self.warmup_start + (1 - self.warmup_start) * passed / self.warmup
        length = self.end - self.begin - self.warmup
        share = 1.0 if length <= 0 else min((passed - self.warmup) / length, 1.0)
        return self._decayed(share, progress)

    def _decayed(self, share: float, progress: float) -> float:
        """Return the factor after a share of the decay."""
        if self.shape == 'constant':
            return 1.0
        if self.shape == 'step':
            return float(self.gamma ** sum(progress >= milestone for milestone in self.milestones))
        if self.shape == 'exponential':
            return float(self.final**share)
        left = 1 - share if self.shape == 'linear' else (1 + math.cos(math.pi * share)) / 2
        return self.final + (1 - self.final) * left

    def set_progress(self, progress: float) -> None:
        """Set the rates for a progress; called by the training loop before each iteration.

        Args:
            progress: Progress of the training, in [0, 1].
        """
        factor = self.factor(progress)
        for group, base in zip(self.optimizer.param_groups, self.base_values, strict=True):
            group[self.param_name] = base * factor
        self._last_value = [group[self.param_name] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Set the rates for the progress in the message hub (`ParamSchedulerHook` calls this).

        Raises:
            ValueError: The training loop does not set its progress.
        """
        progress = MessageHub.get_current_instance().get_info('progress')
        if progress is None:
            raise ValueError(
                'ProgressLR needs a training loop that sets its progress: train_cfg.type must be '
                'ResumableTrainLoop or TimedTrainLoop'
            )
        self.set_progress(progress)

    def state_dict(self) -> dict[str, Any]:
        """Return the base rates."""
        return {'base_values': list(self.base_values)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the base rates.

        Args:
            state_dict: Result of `state_dict`.
        """
        self.base_values = list(state_dict['base_values'])


def progress_schedules(schedules: Any) -> list[ProgressLR]:
    """Return all `ProgressLR` of a runner.

    Args:
        schedules: None, a list of built schedules, or lists by optimizer.
    """
    if isinstance(schedules, dict):
        return [found for part in schedules.values() for found in progress_schedules(part)]
    return [item for item in schedules or [] if isinstance(item, ProgressLR)]


def fitting_schedule(schedule: Any, iterations: int | None) -> Any:
    """Complete the config of schedules; those by iterations without an end last as long as the training.

    Args:
        schedule: Config of a schedule, a list of them, or either by optimizer; built ones are unchanged.
        iterations: Length of the training; None for a training by time.

    Raises:
        ValueError: A schedule cannot be used in this training, or not with others.
    """
    if isinstance(schedule, list):
        if len(schedule) > 1 and any(_is_by_progress(item) for item in schedule):
            raise ValueError('ProgressLR must be the only schedule; use its own warm-up')
        return [fitting_schedule(item, iterations) for item in schedule]
    if not isinstance(schedule, dict):
        return schedule
    if 'type' not in schedule:
        return {name: fitting_schedule(item, iterations) for name, item in schedule.items()}
    if _is_by_progress(schedule):
        return dict(schedule, end=schedule.get('end', 1.0))
    if 'end' in schedule:
        return schedule
    if iterations is None:
        raise ValueError(
            f'{schedule["type"]} depends on the number of iterations, which is unknown in a training by '
            'time; use ProgressLR'
        )
    if schedule.get('by_epoch', True) or 'T_max' in schedule:
        return schedule
    return dict(schedule, end=iterations)


def _is_by_progress(schedule: Any) -> bool:
    """Return whether a schedule, built or not, is a `ProgressLR`."""
    kind = schedule.get('type') if isinstance(schedule, dict) else type(schedule)
    return kind in (ProgressLR, ProgressLR.__name__, f'mmagic.{ProgressLR.__name__}')
