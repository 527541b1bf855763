"""Training from a config file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attentive_gan.config import reading
from attentive_gan.config.data_folders import require_data
from attentive_gan.config.timed import set_minutes
from attentive_gan.engine.runner.config_errors import check_values
from attentive_gan.engine.runner.restoration_runner import RestorationRunner
from attentive_gan.engine.runner.resume_points import resumable_checkpoints
from attentive_gan.engine.runner.work_dir import check_writable


def train(
    config: str | Path,
    options: Mapping[str, Any] | None = None,
    *,
    work_dir: str | Path | None = None,
    resume: str | Path | None = None,
    amp: Literal['float16', 'bfloat16'] | None = None,
    minutes: float | None = None,
    validate: bool = True,
    auto_scale_lr: bool = False,
    seed: int | None = None,
    launcher: Literal['none', 'pytorch', 'slurm', 'mpi'] = 'none',
) -> RestorationRunner:
    """Train a model, as `attentive-gan train` does.

    Args:
        config: Config file.
        options: Dotted names of config fields and their new values.
        work_dir: Folder for logs and checkpoints; default `work_dirs/<config name>`.
        resume: Checkpoint to resume from, or 'latest' for the newest intact one in `work_dir`,
            or 'auto' for that one if `work_dir` holds any checkpoint, and a new training otherwise.
        amp: Number type of mixed precision; None trains in float32.
        minutes: Training time that replaces the iterations of the config.
        validate: Whether to validate while training.
        auto_scale_lr: Whether to scale the learning rates with the total batch size.
        seed: Seed of all random numbers; default that of the config.
        launcher: How the processes were started.

    Returns:
        The runner after its training, with `model`, `work_dir` and `iter`.

    Raises:
        UserError: A file, a config field or an option is wrong, the loss is not a number, or `work_dir`
            is used by another training.
        StoppedBySignal: SIGINT, SIGTERM or SIGUSR1 ended the training; a checkpoint was saved.

    Example:
        >>> import attentive_gan
        >>> runner = attentive_gan.train(
        ...     'configs/attgan_raindrop.py',
        ...     {'train_dataloader.batch_size': 4},
        ...     work_dir='work_dirs/first',
        ... )  # doctest: +SKIP
    """
    started = time.perf_counter()
    path = str(config)
    cfg = reading.load_config(path, options)
    check_values(cfg)
    cfg.launcher = launcher
    reading.set_work_dir(cfg, None if work_dir is None else str(work_dir), path)
    if seed is not None:
        cfg.randomness = dict(cfg.get('randomness', {}), seed=seed)
    if minutes is not None:
        set_minutes(cfg, minutes)
    if amp is not None:
        reading.use_mixed_precision(cfg, amp)
    if auto_scale_lr:
        reading.scale_learning_rate(cfg)
    if not validate:
        reading.disable_validation(cfg)
    require_data(cfg)
    check_writable(cfg.work_dir)
    if resume == 'auto':
        resume = 'latest' if resumable_checkpoints(cfg.work_dir) else None
    if resume is not None:
        cfg.resume = True
        cfg.load_from = None if resume == 'latest' else str(resume)
    runner: RestorationRunner = reading.build_runner(cfg)
    runner.train()
    spent = (time.perf_counter() - started) / 60
    runner.logger.info(f'Trained in {spent:.1f} minutes; checkpoints and logs: {runner.work_dir}')
    return runner
