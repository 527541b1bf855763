"""Training for a given time."""

from __future__ import annotations

from typing import Any

import torch
from mmagic.registry import LOOPS
from mmengine.dist import broadcast, get_world_size
from torch.utils.data import DataLoader

from attentive_gan.errors import UserError

from .time_budget import Stretch, TimeBudget, crosses
from .train_loop import ResumableTrainLoop

#: `max_iters` before the training starts; hooks compare with it.
UNKNOWN = 2**31 - 1


@LOOPS.register_module()
class TimedTrainLoop(ResumableTrainLoop):
    """Trains for a time instead of a number of iterations.

    The clock starts when the first batch is loaded, and includes everything after: data loading,
    validation, checkpoints. Progress (see `ResumableTrainLoop`) follows the time, but pauses during
    validation and during the first iteration, in which networks may be compiled. The training ends with
    the iteration whose expected end is nearest to the time. The last checkpoint and validation follow;
    the duration of the previous validation is reserved for the last one. Time between an interruption
    and `--resume` does not count.

    `max_iters` is an estimate for the log; it is exact in the last iteration, so that hooks recognise the
    end. Distributed processes follow the clock of the first one, synchronised about every second.

    Args:
        runner: The runner that owns the loop.
        dataloader: Data loader or its config; its sampler must be a `SeededSampler`.
        minutes: Time of the whole training.
        val_interval: Interval of validation in iterations, or None.
        val_minutes: Interval of validation in minutes of progress, or None. The last iteration is always
            followed by validation.

    Raises:
        UserError: A time or an interval is not above 0, or the sampler cannot start at a given iteration.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: DataLoader[Any] | dict[str, Any],
        minutes: float,
        val_interval: int | None = None,
        val_minutes: float | None = None,
    ) -> None:
        for name, value in (
            ('minutes', minutes), ('val_interval', val_interval), ('val_minutes', val_minutes),
        ):  # fmt: skip
            if value is not None and not value > 0:
                raise UserError(f'train_cfg.{name} must be above 0, not {value!r}')
        super().__init__(runner, dataloader, max_iters=1, val_interval=val_interval or 1)
        self._max_iters = UNKNOWN
        self.minutes = minutes
        self.budget = TimeBudget(minutes * 60)
        self._by_iterations = val_interval
        self._val_share = None if val_minutes is None else val_minutes / minutes
        self._last_progress = 0.0
        self._finished = False

    @property
    def planned_iterations(self) -> int | None:
        """None: the number of iterations is unknown."""
        return None

    def _train(self) -> None:
        """Run iterations until the time is over."""
        progress = self._last_progress = self.budget.progress
        if self._finished:
            self.runner.logger.info(f'All {self.minutes:g} minutes were trained before')
            return
        batch = self._next_batch()
        self.budget.start()
        with self.budget.pause():
            self._iterate(batch, progress, last=False)
        while not self.stop_training and self._run_stretch(self._plan()):
            pass

    def _plan(self) -> Stretch:
        """Plan the next iterations; distributed processes use the plan of the first one."""
        if get_world_size() == 1:
            return self.budget.plan()
        plan = self.budget.plan(together=True)
        shared = torch.tensor(
            [plan.progress, plan.step, plan.count, plan.last], dtype=torch.float64
        )
        broadcast(shared)
        progress, step, count, last = shared.tolist()
        return Stretch(progress, step, int(count), bool(last))

    def _run_stretch(self, stretch: Stretch) -> bool:
        """Run the iterations of a plan; return whether more follow."""
        for index in range(stretch.count):
            if self.stop_training:
                return False
            last = stretch.last and index == stretch.count - 1
            progress = min(stretch.progress + index * stretch.step, 1.0)
            self._iterate(self._next_batch(), progress, last)
        return not stretch.last

    def _iterate(self, batch: Any, progress: float, last: bool) -> None:
        """Run an iteration, and validation if it is due."""
        self.runner.model.train()
        left = self.budget.iterations_left() or 0
        # Hooks recognise the last iteration by `iter + 1 == max_iters`.
        self._max_iters = self._iter + 1 if last else self._iter + max(left, 2)
        self._finished = last
        self._set_progress(progress)
        hub = self.runner.message_hub
        hub.update_scalar('train/progress', progress)
        hub.update_info('eta', self.budget.seconds_left)  # for the log
        self._validation_follows = self._validation_is_due_at(progress, last)
        self.run_iter(batch)
        self.budget.iteration_done()
        self._stop_if_asked()
        if self._validation_follows:
            before = self.budget.elapsed
            with self.budget.pause():
                self._validate()
            self.budget.reserve = self.budget.elapsed - before
        self._last_progress = progress

    def _validation_is_due_at(self, progress: float, last: bool) -> bool:
        """Return whether validation follows the iteration that begins."""
        if self.runner.val_loop is None:
            return False
        if last or (self._by_iterations and (self._iter + 1) % self._by_iterations == 0):
            return True
        return crosses(self._last_progress, progress, self._val_share)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint, without the number of iterations done."""
        state = self.budget.state_dict()
        return {
            'minutes': self.minutes,
            'finished': self._finished,
            'validation_follows': self._validation_follows,
            **state,
        }

    def load_state_dict(self, state: dict[str, Any], source: str) -> None:
        """Resume from a checkpoint.

        Args:
            state: What `state_dict` returned.
            source: Checkpoint file, for messages.

        Raises:
            UserError: The checkpoint is of a training by iterations.
        """
        if 'minutes' not in state:
            raise UserError(
                f'{source} is of a training by iterations; go on without --minutes (train_cfg.type '
                'ResumableTrainLoop)'
            )
        self.budget.load_state_dict(state, state['minutes'] / self.minutes)
        self._validation_follows = bool(state.get('validation_follows', False))
        self._finished = state['finished'] and self.minutes <= state['minutes']
        if state['minutes'] != self.minutes:
            self.runner.logger.warning(
                f'the training was planned for {state["minutes"]:g} minutes and now goes on to '
                f'{self.minutes:g}, from a progress of {self.budget.progress:.3f}'
            )
