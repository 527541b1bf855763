"""The runner: MMEngine's, with its faults in checkpoints, resuming and distributed training mended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmagic.registry import RUNNERS
from mmengine.device import get_device
from mmengine.dist import is_distributed, is_main_process
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.utils import apply_to
from torch import nn

from attentive_gan.checkpoints.fitting import fitting_state, load_weights
from attentive_gan.compat.distributed import choose_backend, unwrapped_state_dict
from attentive_gan.datasets.pooled_dataloader import build_pooled_dataloader
from attentive_gan.engine.hooks.runtime_info_hook import DeferredRuntimeInfoHook
from attentive_gan.engine.optimizers.gradient_clipping import defer_clipping
from attentive_gan.engine.schedulers.progress_schedule import fitting_schedule
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_checkpoint, write_checkpoint

from . import checkpoint_contents
from .device_settings import allow_deterministic_products, match_layouts, to_memory_format, use_tf32
from .explained import explained
from .log_filters import drop_noise, file_only
from .process_group import start_process_group
from .resume_points import latest_sound_checkpoint
from .train_loop import ResumableTrainLoop


def _to_cpu(state: Any) -> Any:
    """Copy all tensors of a nested state to the CPU, in the layout that any machine reads."""
    return apply_to(
        state, lambda value: hasattr(value, 'cpu'), lambda value: value.cpu().contiguous()
    )


@RUNNERS.register_module()
class RestorationRunner(Runner):
    """MMEngine's `Runner` whose checkpoints are sound, resumable and the same for any launcher.

    - Checkpoints hold plain tensors and values, are written atomically, and have the same keys whether
      one or several processes trained (MMEngine saves `generator.module.*`).
    - Missing or unexpected weights are an error. Resuming goes on exactly, and never from scratch.
    - Without a GPU, distributed training runs on gloo.
    - A config that does not fit is reported in one line.
    - Iterations do not wait for the device: losses and norms of gradients are read when they are logged.
    - On CUDA, weights are channels-last (config field `memory_format`, see `to_memory_format`), and
      float32 is computed in TF32 (`env_cfg.tf32`, by default True).
    - `randomness.deterministic=True` works on CUDA too, for networks of deterministic operations.

    Select it by `runner_type = 'RestorationRunner'`; arguments are those of `Runner`.
    """

    # Attributes of MMEngine's runner, which it does not annotate.
    _load_from: str | None
    optim_wrapper: Any
    param_schedulers: Any

    #: States of the random generators that a resumed training starts with.
    _random_states: list[dict[str, Any]] | None = None
    #: States of all processes' generators before the validation that is running.
    _held_states: list[dict[str, Any]] | None = None

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Start the process group on a backend that this machine has, then go on as MMEngine does."""
        if self.distributed and not is_distributed():
            dist_cfg = dict(env_cfg.get('dist_cfg', {}))
            backend = choose_backend(dist_cfg.pop('backend', None))
            start_process_group(self.launcher, backend, **dist_cfg)
        if torch.cuda.is_available():
            use_tf32(env_cfg.get('tf32', True))
        super().setup_env(env_cfg)

    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Set all seeds; deterministic algorithms need a workspace and no search for the fastest."""
        if deterministic:
            allow_deterministic_products()
            torch.backends.cudnn.benchmark = False
        super().set_randomness(seed, diff_rank_seed, deterministic)

    def register_default_hooks(self, hooks: dict[str, Any] | None = None) -> None:
        """Register the default hooks; one of them does not read every loss in every iteration."""
        runtime_info = dict(type=DeferredRuntimeInfoHook.__name__)
        super().register_default_hooks({'runtime_info': runtime_info, **(hooks or {})})

    def _log_env(self, env_cfg: dict[str, Any]) -> None:
        """Log machine, versions and config, hundreds of lines, to the log file alone."""
        drop_noise(self.logger)
        with file_only(self.logger):
            super()._log_env(env_cfg)
        self.logger.info(f'Machine, versions and the whole config: {self.log_dir}')

    def get_hooks_info(self) -> str:
        """Return the names of all hooks in their order, one line instead of MMEngine's eighty."""
        return ', '.join(type(hook).__name__ for hook in self._hooks)

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Lay out the weights, and wrap the model for distributed training."""
        if not is_model_wrapper(model):
            model = to_memory_format(model.to(get_device()), self.cfg.get('memory_format'))
        if self.distributed and not torch.cuda.is_available():
            model_wrapper_cfg = dict(model_wrapper_cfg or {}, device_ids=None)
            model_wrapper_cfg.setdefault('broadcast_buffers', False)
        return super().wrap_model(model_wrapper_cfg, model)

    def build_model(self, model: nn.Module | dict[str, Any]) -> nn.Module:
        """Build the model; see `explained` for errors."""
        with explained('model'):
            return super().build_model(model)

    @staticmethod
    def build_dataloader(
        dataloader: Any, seed: int | None = None, diff_rank_seed: bool = False
    ) -> Any:
        """Build a data loader: MMEngine's, or one that the config chooses by its `type`."""
        if isinstance(dataloader, dict) and 'type' in dataloader:
            return build_pooled_dataloader(dataloader, seed)
        return Runner.build_dataloader(dataloader, seed, diff_rank_seed)

    def build_train_loop(self, loop: Any) -> Any:
        """Build the training loop and its data; see `explained` for errors."""
        with explained('train_cfg or train_dataloader'):
            return super().build_train_loop(loop)

    def build_val_loop(self, loop: Any) -> Any:
        """Build the validation loop and its data; see `explained` for errors."""
        with explained('val_cfg, val_dataloader or val_evaluator'):
            return super().build_val_loop(loop)

    def build_test_loop(self, loop: Any) -> Any:
        """Build the test loop and its data; see `explained` for errors."""
        with explained('test_cfg, test_dataloader or test_evaluator'):
            return super().build_test_loop(loop)

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimizers; see `explained` for errors."""
        with explained('optim_wrapper'):
            built = super().build_optim_wrapper(optim_wrapper)
        defer_clipping(built, self.message_hub)
        return built

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the learning-rate schedules; one without an end lasts as long as the training."""
        iterations = getattr(self.train_loop, 'planned_iterations', self.max_iters)
        with explained('param_scheduler'):
            return super().build_param_scheduler(fitting_schedule(scheduler, iterations))

    def load_or_resume(self) -> None:
        """Load or resume as the config says.

        Raises:
            UserError: `resume` is set and no sound checkpoint is there to go on from.
        """
        if self._resume and self._load_from is None and not self._has_loaded:
            self._load_from = str(latest_sound_checkpoint(self.work_dir, self.logger.warning))
            self.logger.info(f'Going on from {self._load_from}')
        super().load_or_resume()

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable = 'cpu',
        strict: bool = False,
        revise_keys: list[tuple[str, str]] | None = None,
    ) -> dict[str, Any]:
        """Load weights into the model.

        Args:
            filename: A .pth or .safetensors file.
            map_location: Device for the tensors.
            strict: Whether the weights of parts that only training needs must be there too; all
                others must be in any case.
            revise_keys: Regular expressions and replacements for the names of weights.

        Raises:
            UserError: The file is missing or damaged, or its weights do not fit the model.
        """
        checkpoint = read_checkpoint(filename, map_location)
        model = self.model.module if is_model_wrapper(self.model) else self.model
        allowed = () if strict else getattr(model, 'training_only', ())
        if 'state_dict' not in checkpoint:
            checkpoint = {'state_dict': checkpoint}
        # Hooks see the names of the model: MMEngine's EMAHook drops what it does not know, silently.
        checkpoint['state_dict'], absent = fitting_state(
            model, checkpoint['state_dict'], filename, allowed, revise_keys or []
        )
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        load_weights(model, checkpoint['state_dict'], filename)
        for name in absent:
            self.logger.warning(
                f'{filename} has no weights of {name!r}; they keep their start values'
            )
        self._has_loaded = True
        self.logger.info(f'Loaded the weights of {filename}')
        return checkpoint

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable = 'default',
    ) -> None:
        """Go on from a checkpoint of this runner, exactly.

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
        self.train_loop._epoch = checkpoint['meta']['epoch']
        self.train_loop._iter = checkpoint['meta']['iter']
        if isinstance(self.train_loop, ResumableTrainLoop):
            meta = checkpoint['meta']
            self.train_loop.load_state_dict(meta.get('loop', meta), filename)
        checkpoint_contents.unpack_message_hub(checkpoint['message_hub'], self.message_hub)
        if resume_optimizer:
            self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
            self.optim_wrapper.load_state_dict(checkpoint['optimizer'])
            match_layouts(self.optim_wrapper)
        if resume_param_scheduler and self.param_schedulers is not None:
            self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
            self._resume_schedules(checkpoint['param_schedulers'])
        self._random_states = checkpoint['random_states']
        self.logger.info(f'Resumed at iteration {self.iter} from {filename}')

    @contextmanager
    def random_state_held(self) -> Iterator[None]:
        """Restore torch's generators after the block; checkpoints saved in it hold the state before."""
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        self._held_states = checkpoint_contents.gather_random_states()
        try:
            with torch.random.fork_rng(devices):
                yield
        finally:
            self._held_states = None

    def restore_random_state(self) -> None:
        """Set torch's generators as they were when the resumed checkpoint was saved.

        The training loop calls this last before it goes on: building data loaders draws numbers too.
        """
        if self._random_states is not None:
            checkpoint_contents.restore_random_state(self._random_states)
            self._random_states = None

    def _check_same_training(self, filename: str, checkpoint: dict[str, Any]) -> None:
        """Refuse to resume where the result could not be what an uninterrupted training gives."""
        needed = {'optimizer', 'param_schedulers', 'message_hub', 'random_states', 'meta'}
        missing = sorted(needed - set(checkpoint))
        if missing:
            raise UserError(
                f'{filename} cannot be resumed: it has no {", ".join(missing)}; use it with '
                '--cfg-options load_from=PATH to start a new training from its weights'
            )
        before, now = checkpoint['meta'].get('training', {}), self._training_facts()
        changes = [
            f'{key} {before.get(key)} -> {now[key]}' for key in now if before.get(key) != now[key]
        ]
        if changes:
            raise UserError(
                f'{filename} cannot be resumed as the same training ({"; ".join(changes)}); restore '
                'these, or use --cfg-options load_from=PATH to start a new training from its weights'
            )

    def _training_facts(self) -> dict[str, Any]:
        """Return what decides the order of the training data."""
        return {
            'seed': self.seed,
            'processes': self.world_size,
            'batch_size': self.train_dataloader.batch_size,
            'samples': len(self.train_dataloader.dataset),
        }

    def _resume_schedules(self, saved: Any) -> None:
        """Restore schedules, kept as a list or as a list per optimizer."""
        groups = self.param_schedulers
        pairs = (
            [(groups[key], saved[key]) for key in groups]
            if isinstance(groups, dict)
            else [(groups, saved)]
        )
        for schedulers, states in pairs:
            for scheduler, state in zip(schedulers, states, strict=True):
                scheduler.load_state_dict(state)

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
            save_optimizer: Whether to save what resuming needs of the optimizers.
            save_param_scheduler: Whether to save the schedules.
            meta: Information to store, at least `epoch` and `iter`.
            by_epoch: Whether the current training counts epochs.
            backend_args: Not used; local files only.

        Raises:
            UserError: A weight is not finite, or the file cannot be written.
        """
        self.call_hook('before_save')
        random_states = self._held_states or checkpoint_contents.gather_random_states()
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
            'meta': self._meta(dict(meta or {}), by_epoch),
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

    def _meta(self, meta: dict[str, Any], by_epoch: bool) -> dict[str, Any]:
        """Complete the information stored with a checkpoint."""
        meta.setdefault('epoch', self.epoch + 1 if by_epoch else self.epoch)
        meta.setdefault('iter', self.iter if by_epoch else self.iter + 1)
        meta.update(
            cfg=self.cfg.pretty_text,
            seed=self.seed,
            experiment_name=self.experiment_name,
            time=time.strftime('%Y%m%d_%H%M%S', time.localtime()),
            mmengine_version=mmengine.__version__,
            torch_version=str(torch.__version__),
            training=self._training_facts(),
        )
        if isinstance(self.train_loop, ResumableTrainLoop):
            meta['loop'] = self.train_loop.state_dict()
        return meta

    def _schedule_states(self) -> Any:
        """Return the states of all schedules in the structure of `param_schedulers`."""
        schedulers = self.param_schedulers
        if isinstance(schedulers, dict):
            return {key: [item.state_dict() for item in items] for key, items in schedulers.items()}
        return [item.state_dict() for item in schedulers or []]
