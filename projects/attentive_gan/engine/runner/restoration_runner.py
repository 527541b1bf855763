"""The runner that the configs select: builds a training or a test from its config."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from mmagic.registry import RUNNERS
from mmengine.device import get_device
from mmengine.dist import is_distributed, is_main_process
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from attentive_gan.compat.distributed import choose_backend
from attentive_gan.datasets.pooled_dataloader import LOADER_TIMEOUT, build_pooled_dataloader
from attentive_gan.engine.hooks.deferred_runtime_info_hook import DeferredRuntimeInfoHook
from attentive_gan.engine.optimizers.gradient_clipping import defer_clipping
from attentive_gan.engine.schedulers.progress_schedule import fitting_schedule

from .config_errors import config_field, explained
from .device_settings import allow_deterministic_products, to_memory_format, use_tf32
from .image_sizes import check_equal_sizes
from .log_errors import handle_log_errors
from .log_filters import drop_noise, file_only
from .process_group import GROUP_TIMEOUT, start_process_group
from .renamed_names import check_names
from .resumable_runner import ResumableRunner
from .work_dir import owned
from .worker_errors import check_shared_memory, worker_errors


@RUNNERS.register_module()
class RestorationRunner(ResumableRunner):
    """MMEngine's `Runner` with exact checkpoints (`ResumableRunner`) and clear config errors.

    - Without a GPU, distributed training runs on gloo.
    - An invalid config is reported in one line that names the field.
    - Iterations do not synchronise with the device: losses and gradient norms are read when they are
      logged.
    - On CUDA, weights are channels-last (config field `memory_format`, see `to_memory_format`), and
      float32 is computed in TF32 (`env_cfg.tf32`, default True).
    - `randomness.deterministic=True` works on CUDA too, for networks of deterministic operations.
    - `default_hooks.NAME=None` removes any default hook.

    Select it by `runner_type = 'RestorationRunner'`; arguments are those of `Runner`.
    """

    @classmethod
    def from_cfg(cls, cfg: Any) -> Runner:
        """Build a runner; names of version 0.1.0 are reported, also where MMEngine read the config.

        Raises:
            UserError: The config uses a name of version 0.1.0, or one of its fields is wrong.
        """
        check_names(cfg, str(getattr(cfg, 'filename', None) or 'the config'))
        with explained(cfg), config_field('runner'):
            return super().from_cfg(cfg)

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Start the process group on an available backend, then continue as MMEngine does."""
        if self.distributed and not is_distributed():
            dist_cfg = dict(env_cfg.get('dist_cfg', {}))
            backend = choose_backend(dist_cfg.pop('backend', None))
            self.stop_signals.timeout = dist_cfg.setdefault('timeout', GROUP_TIMEOUT)
            start_process_group(self.launcher, backend, **dist_cfg)
        if torch.cuda.is_available():
            use_tf32(env_cfg.get('tf32', True))
        super().setup_env(env_cfg)

    def set_randomness(
        self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False
    ) -> None:
        """Set all seeds, and prepare CUDA for deterministic algorithms if they are selected."""
        if deterministic:
            allow_deterministic_products()
            torch.backends.cudnn.benchmark = False
        super().set_randomness(seed, diff_rank_seed, deterministic)

    def register_default_hooks(self, hooks: dict[str, Any] | None = None) -> None:
        """Register the default hooks, with `DeferredRuntimeInfoHook` in place of MMEngine's."""
        named = {'runtime_info': dict(type=DeferredRuntimeInfoHook.__name__), **(hooks or {})}
        # MMEngine accepts None for its own hooks only.
        own = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
        super().register_default_hooks(
            {name: hook for name, hook in named.items() if hook is not None or name in own}
        )

    def _log_env(self, env_cfg: dict[str, Any]) -> None:
        """Log machine, versions and config, hundreds of lines, to the log file only."""
        drop_noise(self.logger)
        handle_log_errors(self.logger)
        with file_only(self.logger):
            super()._log_env(env_cfg)
        self.logger.info(f'Machine, versions and the whole config: {self.log_dir}')

    def get_hooks_info(self) -> str:
        """Return the names of all hooks in their order, one line instead of MMEngine's eighty."""
        return ', '.join(type(hook).__name__ for hook in self._hooks)

    build_model = config_field('model')(Runner.build_model)
    build_train_loop = config_field('train_cfg or train_dataloader')(Runner.build_train_loop)

    @config_field('val_cfg, val_dataloader or val_evaluator')
    def build_val_loop(self, loop: Any) -> Any:
        """Build the validation loop; its batches must be of equal sizes."""
        built = super().build_val_loop(loop)
        check_equal_sizes(built, 'val_dataloader')
        return built

    @config_field('test_cfg, test_dataloader or test_evaluator')
    def build_test_loop(self, loop: Any) -> Any:
        """Build the test loop; its batches must be of equal sizes."""
        built = super().build_test_loop(loop)
        check_equal_sizes(built, 'test_dataloader')
        return built

    @staticmethod
    def build_dataloader(
        dataloader: Any, seed: int | None = None, diff_rank_seed: bool = False
    ) -> Any:
        """Build a data loader: MMEngine's, or the one that the config selects by its `type`."""
        if isinstance(dataloader, dict):
            check_shared_memory(dataloader.get('num_workers') or 0)
        if isinstance(dataloader, dict) and 'type' in dataloader:
            return build_pooled_dataloader(dataloader, seed)
        if isinstance(dataloader, dict) and dataloader.get('num_workers', 0) > 0:
            dataloader = {'timeout': LOADER_TIMEOUT, **dataloader}
        return Runner.build_dataloader(dataloader, seed, diff_rank_seed)

    def train(self) -> nn.Module:
        """Train, and end threads and workers of a `PooledDataLoader`, after an error too."""
        try:
            with (
                self.stop_signals.caught(),
                self._owned_work_dir(),
                worker_errors(self._awaited_samples),
                explained(self.cfg),
            ):
                model = cast(nn.Module, super().train())
                self.worker_signals.release()
                return model
        finally:
            close = getattr(getattr(self._train_loop, 'dataloader', None), 'close', None)
            if close is not None:
                close()

    def test(self) -> dict[str, float]:
        """Test."""
        with explained(self.cfg):
            return cast(dict[str, float], super().test())

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call the hooks; after an iteration of a validation, report a lost worker."""
        super().call_hook(fn_name, **kwargs)
        if fn_name == 'after_val_iter':
            self.worker_signals.check()

    def _awaited_samples(self) -> list[str]:
        """Return the names of the samples of the next batch of the training."""
        return getattr(self._train_loop, 'awaited_samples', list)()

    def _owned_work_dir(self) -> AbstractContextManager[None]:
        """Return a block in which the first process holds the work_dir."""
        return (
            owned(Path(self.work_dir), anew=not self._resume)
            if is_main_process()
            else nullcontext()
        )

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Set the memory format, and wrap the model for distributed training."""
        if not is_model_wrapper(model):
            model = to_memory_format(model.to(get_device()), self.cfg.get('memory_format'))
        if self.distributed and not torch.cuda.is_available():
            model_wrapper_cfg = dict(model_wrapper_cfg or {}, device_ids=None)
            model_wrapper_cfg.setdefault('broadcast_buffers', False)
        return cast(nn.Module, super().wrap_model(model_wrapper_cfg, model))

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimizers; gradient norms are not read before they are logged."""
        with config_field('optim_wrapper'):
            built = super().build_optim_wrapper(optim_wrapper)
        defer_clipping(built, self.message_hub)
        return built

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the learning-rate schedules; one without an end lasts as long as the training."""
        iterations = getattr(self.train_loop, 'planned_iterations', self.max_iters)
        with config_field('param_scheduler'):
            return super().build_param_scheduler(fitting_schedule(scheduler, iterations))
