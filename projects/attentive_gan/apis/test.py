"""Testing a checkpoint by the protocols of its config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attentive_gan.config import reading
from attentive_gan.config.inference_model import without_training_parts
from attentive_gan.engine.runner.config_errors import check_values


def test(
    config: str | Path | None,
    checkpoint: str | Path,
    options: Mapping[str, Any] | None = None,
    *,
    work_dir: str | Path | None = None,
    out: str | Path | None = None,
    launcher: Literal['none', 'pytorch', 'slurm', 'mpi'] = 'none',
) -> dict[str, float]:
    """Test a checkpoint, as `attentive-gan test` does; write scores and restored images.

    Args:
        config: Config file that the checkpoint was trained with; None takes the one stored in it.
        checkpoint: Checkpoint or weights (.pth or .safetensors).
        options: Dotted names of config fields and their new values.
        work_dir: Folder for scores and images; default `work_dirs/<config name>`.
        out: JSON file for the mean scores.
        launcher: How the processes were started.

    Returns:
        Mean scores by name, such as `test_a/qian_psnr` in dB.

    Raises:
        UserError: A file, a config field or an option is wrong.

    Example:
        >>> import attentive_gan
        >>> scores = attentive_gan.test(
        ...     'configs/attgan_small.py', 'weights.safetensors', {'data_root': 'data/raindrop'}
        ... )  # doctest: +SKIP
    """
    if config is None:
        cfg = reading.load_stored_config(Path(checkpoint), options)
        path = str(cfg.get('experiment_name') or Path(checkpoint).resolve().parent)
    else:
        path = str(config)
        cfg = reading.load_config(path, options)
    check_values(cfg, training=False)
    cfg.launcher = launcher
    reading.set_work_dir(cfg, None if work_dir is None else str(work_dir), path)
    cfg.load_from = str(checkpoint)
    cfg.resume = False
    cfg.model = without_training_parts(cfg.model)
    if out is not None:
        hook = dict(type='MeanScoresHook', path=str(out))
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]
    scores: dict[str, float] = reading.build_runner(cfg).test()
    return scores
