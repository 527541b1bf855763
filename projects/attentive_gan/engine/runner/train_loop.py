"""Training by iterations that resumes exactly."""

from __future__ import annotations

from typing import Any

from mmagic.registry import LOOPS
from mmengine.runner import IterBasedTrainLoop
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import DataLoader

from attentive_gan.datasets.samplers.seeded_sampler import SeededSampler
from attentive_gan.engine.schedulers.progress_schedule import progress_schedules
from attentive_gan.errors import UserError


@LOOPS.register_module()
class ResumableTrainLoop(IterBasedTrainLoop):
    """MMEngine's `IterBasedTrainLoop`, which resumes without reading all previous data again.

    Before each iteration it writes the progress of the training, in [0, 1], to the message hub as
    `progress`, and sets the learning rates of `ProgressLR`.

    Args:
        runner: The runner that owns the loop.
        dataloader: Data loader or its config; its sampler must be a `SeededSampler`.
        max_iters: Iterations of the whole training.
        val_begin: First iteration after which validation may run.
        val_interval: Iterations between validations.
        dynamic_intervals: Milestones at which the validation interval changes.

    Raises:
        UserError: The sampler cannot start at a given iteration.
    """

    def __init__(
        self, runner: Any, dataloader: DataLoader[Any] | dict[str, Any], **kwargs: Any
    ) -> None:
        super().__init__(runner, dataloader, **kwargs)
        if not isinstance(self.dataloader.sampler, SeededSampler):
            raise UserError(
                f'train_cfg.type {type(self).__name__} needs train_dataloader.sampler of type '
                f'SeededSampler, not {type(self.dataloader.sampler).__name__}'
            )
        self._start_data_at(0)

    @property
    def planned_iterations(self) -> int | None:
        """Number of iterations of the whole training, or None if it is unknown."""
        return int(self._max_iters)

    def _start_data_at(self, iteration: int) -> None:
        """Start the data loader with the batch of the given iteration."""
        self.dataloader.sampler.start_at(iteration, self.dataloader.batch_size)
        self.dataloader_iterator = _InfiniteDataloaderIterator(self.dataloader)

    def run(self) -> Any:
        """Train to the end with validation, and return the model."""
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        if self._iter > 0:
            self._start_data_at(self._iter)
            self.runner.restore_random_state()
        self._train()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _train(self) -> None:
        """Run all iterations."""
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self._set_progress(self._iter / self._max_iters)
            self.run_iter(next(self.dataloader_iterator))
            self._decide_current_val_interval()
            if self._validation_is_due():
                self._validate()

    def _set_progress(self, progress: float) -> None:
        """Set the progress for the model and the schedules."""
        self.runner.message_hub.update_info('progress', progress)
        for schedule in progress_schedules(self.runner.param_schedulers):
            schedule.set_progress(progress)

    def _validate(self) -> None:
        """Validate without changing the state of torch's random generators.

        One checkpoint is saved before the validation of an iteration and the best one within it; a
        training resumed from either skips the validation and needs the same random state.
        """
        with self.runner.preserve_random_state():
            self.runner.val_loop.run()

    def _validation_is_due(self) -> bool:
        """Return whether validation follows the last iteration."""
        if self.runner.val_loop is None or self._iter < self.val_begin:
            return False
        return bool(self._iter % self.val_interval == 0 or self._iter == self._max_iters)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint, without the number of iterations done."""
        return {'max_iters': self._max_iters}

    def load_state_dict(self, state: dict[str, Any], source: str) -> None:
        """Resume from a checkpoint.

        Args:
            state: What `state_dict` returned.
            source: Checkpoint file, for messages.

        Raises:
            UserError: The checkpoint is of a training by time.
        """
        if 'minutes' in state:
            raise UserError(
                f'{source} is of a training by time; go on with --minutes (train_cfg.type '
                'TimedTrainLoop)'
            )
        planned = state.get('max_iters', self._max_iters)
        if planned != self._max_iters:
            self.runner.logger.warning(
                f'the training was planned for {planned} iterations and now goes on to '
                f'{self._max_iters}; learning rates follow the schedule of the checkpoint and stay at '
                'its last value after its end'
            )
