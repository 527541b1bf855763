"""Training by iterations that resumes exactly."""

from __future__ import annotations

import bisect
import itertools
from pathlib import Path
from typing import Any

from mmagic.registry import LOOPS
from mmengine.dist import broadcast_object_list, get_world_size, is_main_process
from mmengine.hooks import EMAHook
from mmengine.runner import IterBasedTrainLoop
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import DataLoader

from attentive_gan.datasets.samplers.seeded_sampler import SeededSampler
from attentive_gan.engine.schedulers.progress_schedule import progress_schedules
from attentive_gan.errors import StoppedBySignal, UserError

from .work_dir import read_last_validation, write_last_validation


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
        #: Whether validation follows the iteration that runs or ran last.
        self._validation_follows = False

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
            self._complete_validation()
        with self.runner.stop_signals.deferred():
            self._train()
        self.runner.stop_signals.finish()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def _train(self) -> None:
        """Run all iterations."""
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self._set_progress(self._iter / self._max_iters)
            batch = self._next_batch()
            self._validation_follows = self._validation_is_due(self._iter + 1)
            self.run_iter(batch)
            self._stop_if_asked()
            if self._validation_follows:
                self._validate()

    def _next_batch(self) -> Any:
        """Return the next batch; a signal may have ended the workers that load it."""
        signals = self.runner.worker_signals
        try:
            signals.take_over()
            signals.check()
            return next(self.dataloader_iterator)
        except RuntimeError:
            if get_world_size() == 1 and self.runner.stop_signals.soon():
                self._stop_if_asked()
            raise

    def awaited_samples(self) -> list[str]:
        """Return the names of the samples of the batch that comes next, where the data set knows them."""
        loader = self.dataloader
        if not isinstance(loader, DataLoader):
            return []
        sampler: Any = loader.sampler
        sampler.start_at(self._iter, loader.batch_size)
        indices = itertools.islice(sampler, loader.batch_size)
        info = getattr(loader.dataset, 'get_data_info', None)
        found = [info(int(index)) for index in indices] if info else []
        return [Path(item['img_path']).name for item in found if item.get('img_path')]

    def _stop_if_asked(self) -> None:
        """Save a checkpoint and end the training if a signal asked for it.

        Raises:
            StoppedBySignal: It did.
        """
        number = self.runner.stop_signals.agreed()
        if number is not None:
            raise StoppedBySignal(number, self._save_before_stop())

    def _save_before_stop(self) -> str:
        """Save a checkpoint of the present state; return what to tell the user."""
        saved = [
            hook.save_now(self.runner) for hook in self.runner.hooks if hasattr(hook, 'save_now')
        ]
        if not any(saved):
            return f'iteration {self._iter} is not saved, since there is no VerifiedCheckpointHook'
        if get_world_size() > 1:
            self.runner.stop_signals.agreed()  # the first process writes; a launcher ends all with one
            self.runner.stop_signals.finish()
        return f'iteration {self._iter} is saved as {saved[0]}; go on with --resume'

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
        # Processes can only stop together, which their iterations of a validation need not be.
        alone = get_world_size() == 1
        with self.runner.preserve_random_state():
            try:
                with self.runner.stop_signals.deferred(not alone):
                    if alone:
                        self._stop_if_asked()
                    self.runner.val_loop.run()
            except StoppedBySignal as stop:
                # In validation, weights may be those of MMEngine's EMAHook.
                if any(isinstance(hook, EMAHook) for hook in self.runner.hooks):
                    raise
                raise StoppedBySignal(stop.number, self._save_before_stop()) from None
        if is_main_process():
            write_last_validation(Path(self.runner.work_dir), self._iter)

    def _complete_validation(self) -> None:
        """Validate after a resume if the end of the training before came in between."""
        last = [read_last_validation(Path(self.runner.work_dir))]
        broadcast_object_list(last)
        if self._validation_follows and self.runner.val_loop is not None and last[0] < self._iter:
            self.runner.logger.info(f'The validation after iteration {self._iter} is run again')
            self._validate()

    def _validation_is_due(self, iteration: int) -> bool:
        """Return whether validation follows an iteration, counted from 1."""
        if self.runner.val_loop is None or iteration < self.val_begin:
            return False
        stage = bisect.bisect(self.dynamic_milestones, iteration + 1) - 1
        self.val_interval = self.dynamic_intervals[stage]
        return bool(iteration % self.val_interval == 0 or iteration == self._max_iters)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint, without the number of iterations done."""
        return {'max_iters': self._max_iters, 'validation_follows': self._validation_follows}

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
        self._validation_follows = bool(state.get('validation_follows', False))
        planned = state.get('max_iters', self._max_iters)
        if planned != self._max_iters:
            self.runner.logger.warning(
                f'the training was planned for {planned} iterations and now goes on to '
                f'{self._max_iters}; learning rates follow the schedule of the checkpoint and stay at '
                'its last value after its end'
            )
