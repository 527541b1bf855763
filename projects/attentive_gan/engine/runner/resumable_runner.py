"""Checkpoints of the runner: saving, loading and resuming."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.utils import apply_to

from attentive_gan.checkpoints.config_description import describe
from attentive_gan.checkpoints.fitting import fitting_state, load_weights
from attentive_gan.compat.distributed import unwrapped_state_dict
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_checkpoint, write_checkpoint
from attentive_gan.utils.checkpoint_wrappers import weights_of

from . import changed_config, checkpoint_contents
from .device_settings import match_layouts
from .resume_points import latest_valid_checkpoint
from .stop_signals import StopSignals
from .train_loop import ResumableTrainLoop
from .work_dir import set_newer_aside
from .worker_signals import WorkerSignals

#: Entries of a checkpoint without which a training cannot be resumed.
_TRAINING_STATE = {'optimizer', 'param_schedulers', 'message_hub', 'random_states', 'meta'}


class ResumableRunner(Runner):
    """MMEngine's `Runner` with checkpoints that resume exactly and are the same for any launcher.

    - Checkpoints hold plain tensors and values, are written atomically, and have the same keys for one
      process and for several (MMEngine saves `generator.module.*`).
    - Missing or unexpected weights are an error. A resumed training never starts from scratch.
    """

    # Attributes of MMEngine's runner, which it does not annotate.
    _load_from: str | None
    optim_wrapper: Any
    param_schedulers: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        #: Signals that end the training.
        self.stop_signals = StopSignals()
        self.worker_signals = WorkerSignals()
        super().__init__(*args, **options)

    #: Random states that a resumed training starts with.
    _resumed_random_states: list[dict[str, Any]] | None = None
    #: Random states of all processes before the current validation.
    _preserved_random_states: list[dict[str, Any]] | None = None

    def load_or_resume(self) -> None:
        """Load or resume as the config says.

        Raises:
            UserError: `resume` is set and there is no valid checkpoint.
        """
        if self._resume and self._load_from is None and not self._has_loaded:
            self._load_from = str(latest_valid_checkpoint(self.work_dir, self.logger.warning))
            self.logger.info(f'Going on from {self._load_from}')
        super().load_or_resume()
        if self._resume and is_main_process():
            for path in set_newer_aside(Path(self.work_dir), self.iter):
                self.logger.warning(f'a newer checkpoint of before is kept as {path}')

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable[..., Any] = 'cpu',
        strict: bool = False,
        revise_keys: list[tuple[str, str]] | None = None,
    ) -> dict[str, Any]:
        """Load weights into the model.

        Args:
            filename: A .pth or .safetensors file.
            map_location: Device for the tensors.
            strict: Require the weights of parts that only training needs, too. All other weights are
                always required.
            revise_keys: Regular expressions and replacements for the names of weights.

        Raises:
            UserError: The file is missing or damaged, or its weights do not fit the model.
        """
        checkpoint = read_checkpoint(filename, map_location)
        model = self.model.module if is_model_wrapper(self.model) else self.model
        allowed = () if strict else getattr(model, 'training_only', ())
        weights = weights_of(checkpoint, filename)
        if 'state_dict' not in checkpoint:
            checkpoint = {}
        # Hooks get the model's own names: MMEngine's EMAHook silently drops names it does not know.
        checkpoint['state_dict'], absent = fitting_state(
            model, weights, filename, allowed, revise_keys or []
        )
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        load_weights(model, checkpoint['state_dict'], filename)
        for name in absent:
            self.logger.warning(f'{filename} has no weights of {name!r}; they stay initialised')
        self._has_loaded = True
        self.logger.info(f'Loaded the weights of {filename}')
        return checkpoint

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable[..., Any] = 'default',
    ) -> None:
        """Resume from a checkpoint of this runner, exactly.

        Args:
            filename: A checkpoint that was saved during training.
            resume_optimizer: Whether to restore the optimizers.
            resume_param_scheduler: Whether to restore the schedules.
            map_location: Device for the tensors; `default` is the CPU.

        Raises:
            UserError: The checkpoint holds weights alone, does not fit, or was made with another
                seed, number of processes or batch size, so that the data would not continue.
        """
        device = 'cpu' if map_location == 'default' else map_location
        checkpoint = self.load_checkpoint(filename, map_location=device, strict=True)
        self._check_same_training(filename, checkpoint)
        meta = checkpoint['meta']
        self.train_loop._epoch, self.train_loop._iter = meta['epoch'], meta['iter']
        if isinstance(self.train_loop, ResumableTrainLoop):
            self.train_loop.load_state_dict(meta.get('loop', meta), filename)
        self._check_changes(filename, meta.get('fields'))
        checkpoint_contents.unpack_message_hub(checkpoint['message_hub'], self.message_hub)
        options = changed_config.optimizer_options(self.optim_wrapper)
        if resume_optimizer:
            self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
            self.optim_wrapper.load_state_dict(checkpoint['optimizer'])
            match_layouts(self.optim_wrapper)
        if resume_param_scheduler and self.param_schedulers is not None:
            self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
            self._load_schedules(checkpoint['param_schedulers'])
        rates = changed_config.apply_options(self.optim_wrapper, self._schedule_lists(), options)
        if rates:
            self.logger.warning(f'Changed base rates take effect: {changed_config.in_words(rates)}')
        self._resumed_random_states = checkpoint['random_states']
        self.logger.info(f'Resumed at iteration {self.iter} from {filename}')

    @contextmanager
    def preserve_random_state(self) -> Iterator[None]:
        """Restore torch's generators after the block; checkpoints saved in it hold the state before."""
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        self._preserved_random_states = checkpoint_contents.gather_random_states()
        try:
            with torch.random.fork_rng(devices):
                yield
        finally:
            self._preserved_random_states = None

    def restore_random_state(self) -> None:
        """Set torch's generators to the state of the resumed checkpoint.

        The training loop calls this right before the first iteration, because building data loaders
        consumes random numbers.
        """
        if self._resumed_random_states is not None:
            checkpoint_contents.restore_random_state(self._resumed_random_states)
            self._resumed_random_states = None

    def _check_same_training(self, filename: str, checkpoint: dict[str, Any]) -> None:
        """Raise if the result could differ from that of an uninterrupted training."""
        missing = sorted(_TRAINING_STATE - set(checkpoint))
        if missing:
            raise UserError(
                f'{filename} cannot be resumed: it has no {", ".join(missing)}; use it with '
                '--cfg-options load_from=PATH to start a new training from its weights'
            )
        before, now = checkpoint['meta'].get('training', {}), self._data_order()
        changes = [
            f'{key} {before.get(key)} -> {now[key]}'
            for key in now
            if before.get(key) != now[key] and not (key == 'names' and key not in before)
        ]
        if changes:
            raise UserError(
                f'{filename} cannot be resumed as the same training ({"; ".join(changes)}); restore '
                'these, or use --cfg-options load_from=PATH to start a new training from its weights'
            )

    def _check_changes(self, filename: str, before: dict[str, str] | None) -> None:
        """List what changed in the config since a checkpoint; raise if a change cannot take effect."""
        if before is None:  # of an earlier version
            return
        changes = changed_config.changed_fields(before, changed_config.config_fields(self.cfg))
        schedules = [item for part in self._schedule_lists().values() for item in part]
        ignored = changed_config.cannot_take_effect(changes, schedules)
        if ignored:
            raise UserError(
                f'{filename} cannot be resumed with these changes, which would have no effect: '
                f'{changed_config.in_words(ignored)}; restore them, or use --cfg-options '
                'load_from=PATH to start a new training from its weights'
            )
        if changes:
            self.logger.warning(
                f'Changed in the config since {filename}: {changed_config.in_words(changes)}'
            )

    def _data_order(self) -> dict[str, Any]:
        """Return what determines the order of the training data."""
        return {
            'seed': self.seed,
            'processes': self.world_size,
            'batch_size': self.train_dataloader.batch_size,
            'samples': len(self.train_dataloader.dataset),
            'names': self._names_of_samples,
            'shares': getattr(self.train_dataloader.sampler, 'shares', None),
        }

    @cached_property
    def _names_of_samples(self) -> str | None:
        """SHA-256 over the file names of the training samples, or None where the data set has none."""
        dataset = self.train_dataloader.dataset
        info = getattr(dataset, 'get_data_info', None)
        if info is None:
            return None
        items = (info(index) for index in range(len(dataset)))
        names = [Path(item.get('img_path') or '').name for item in items]
        return hashlib.sha256('\n'.join(names).encode('utf-8', 'surrogateescape')).hexdigest()

    def _schedule_lists(self) -> dict[str | None, list[Any]]:
        """Return the schedules by optimizer; of a single optimizer by None."""
        schedules = self.param_schedulers
        return schedules if isinstance(schedules, dict) else {None: schedules or []}

    def _load_schedules(self, saved: Any) -> None:
        """Load the states of all schedules."""
        for name, schedules in self._schedule_lists().items():
            states = saved if name is None else saved[name]
            for schedule, state in zip(schedules, states, strict=True):
                schedule.load_state_dict(state)

    def _schedule_states(self) -> Any:
        """Return the states of all schedules in the structure of `param_schedulers`."""
        states = {
            name: [schedule.state_dict() for schedule in schedules]
            for name, schedules in self._schedule_lists().items()
        }
        return states.get(None, states)

    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: dict[str, Any] | None = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: dict[str, Any] | None = None,
        by_epoch: bool = True,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        """Save a checkpoint atomically; every process must call this, the first one writes.

        Args:
            out_dir: Folder.
            filename: Name in the folder.
            file_client_args: Not used; local files only.
            save_optimizer: Whether to save the state of the optimizers.
            save_param_scheduler: Whether to save the state of the schedules.
            meta: Information to store, at least `epoch` and `iter`.
            by_epoch: Whether the current training counts epochs.
            backend_args: Not used; local files only.

        Raises:
            UserError: A weight is not finite, or the file cannot be written.
        """
        self.call_hook('before_save')
        random_states = self._preserved_random_states or checkpoint_contents.gather_random_states()
        if not is_main_process():
            return
        path = Path(out_dir) / filename
        state_dict = _to_cpu(unwrapped_state_dict(self.model))
        bad = checkpoint_contents.non_finite_names(state_dict)
        if bad:
            raise UserError(
                f'{path} is not written: {len(bad)} weights are infinite or not a number (first: '
                f'{bad[0]}); resume from an earlier checkpoint with a lower learning rate'
            )
        checkpoint = {
            'meta': self._meta(meta or {}, by_epoch),
            'state_dict': state_dict,
            'message_hub': checkpoint_contents.pack_message_hub(self.message_hub),
            'random_states': random_states,
        }
        if save_optimizer:
            checkpoint['optimizer'] = _to_cpu(self.optim_wrapper.state_dict())
        if save_param_scheduler:
            checkpoint['param_schedulers'] = self._schedule_states()
        self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        write_checkpoint(checkpoint, path)

    @cached_property
    def _config_text(self) -> str:
        """The config as Python; formatting it takes 0.15 s, and nothing changes it while training."""
        return str(self.cfg.pretty_text)

    @cached_property
    def _description(self) -> str:
        return describe(self.cfg, self.cfg.filename or self.experiment_name).to_json()

    def _meta(self, given: dict[str, Any], by_epoch: bool) -> dict[str, Any]:
        """Return the information that is stored with a checkpoint."""
        meta = {
            'epoch': self.epoch + 1 if by_epoch else self.epoch,
            'iter': self.iter if by_epoch else self.iter + 1,
            **given,
            'cfg': self._config_text,
            'seed': self.seed,
            'experiment_name': self.experiment_name,
            'time': time.strftime('%Y%m%d_%H%M%S', time.localtime()),
            'mmengine_version': mmengine.__version__,
            'torch_version': str(torch.__version__),
            'training': self._data_order(),
            'fields': changed_config.config_fields(self.cfg),
        }
        # Another network than a description may build needs its config when it restores.
        with suppress(UserError, TypeError):
            meta['description'] = self._description
        if isinstance(self.train_loop, ResumableTrainLoop):
            meta['loop'] = self.train_loop.state_dict()
        return meta


def _to_cpu(state: Any) -> Any:
    """Copy all tensors of a nested state to the CPU as contiguous tensors."""
    return apply_to(
        state, lambda value: hasattr(value, 'cpu'), lambda value: value.cpu().contiguous()
    )
