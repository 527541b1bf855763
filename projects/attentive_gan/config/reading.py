"""Reads a config and what the command line changes in it; finds mistakes before anything is built."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from attentive_gan.engine.optimizers.bfloat16 import Bfloat16OptimWrapper, why_no_bfloat16
from attentive_gan.errors import UserError

#: Optional fields of MMEngine's runner that a config need not name for the command line to set them.
_OPTIONAL_FIELDS = (
    'auto_scale_lr', 'custom_hooks', 'load_from', 'log_level', 'randomness', 'resume', 'work_dir',
    'experiment_name', 'model_wrapper_cfg', 'visualizer', 'log_processor', 'find_unused_parameters',
    'sync_bn', 'activation_checkpointing', 'env_cfg', 'param_scheduler', 'memory_format',
)  # fmt: skip


def load_config(path: str, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config file and apply `--cfg-options`.

    The configs here name the folder of their data once, as `data_root`; the option of this name moves all
    data sets below it.

    Args:
        path: Config file (.py).
        options: Dotted field names and new values.

    Raises:
        UserError: The file is missing or broken, or an option names a field that nothing reads.
    """
    if not Path(path).is_file():
        raise UserError(f'config not found: {path}')
    importlib.import_module('attentive_gan.registration')  # bases such as `mmagic::...` need it too
    try:
        config = Config.fromfile(path)
    except UserError:
        raise
    except Exception as error:  # a config is code: anything may happen in it
        cause = error.__cause__ or error  # MMEngine hides why a custom import failed
        raise UserError(f'config {path} cannot be read: {type(cause).__name__}: {cause}') from error
    apply_options(config, options or {}, path)
    return config


def apply_options(config: Config, options: Mapping[str, Any], path: str) -> None:
    """Change fields of a config as `--cfg-options` says.

    Args:
        config: Config to change.
        options: Dotted field names and new values.
        path: The config's file, for messages.

    Raises:
        UserError: An option names a field that nothing reads, or does not fit.
    """
    for name in options:
        _check_option(config, name)
    if 'data_root' in options:
        _move_data(config, str(options['data_root']))
    try:
        config.merge_from_dict(dict(options))
    except (KeyError, TypeError, IndexError, AssertionError) as error:
        raise UserError(f'--cfg-options do not fit {path}: {error}') from error


def _move_data(config: Config, folder: str) -> None:
    """Put another folder in the place of `data_root` wherever a data set lies in it."""
    old = str(config.data_root).rstrip('/')
    nodes: list[Any] = [node for name, node in config.items() if name.endswith('_dataloader')]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            root = str(node.get('data_root', ''))
            if root == old or root.startswith(f'{old}/'):
                node['data_root'] = folder.rstrip('/') + root[len(old) :]
            nodes += node.values()
        elif isinstance(node, (list, tuple)):
            nodes += node


def has_field(config: Config, name: str) -> bool:
    """Return whether a config names a field.

    Args:
        config: Complete config.
        name: Dotted name of the field, as after `--cfg-options`.
    """
    node: Any = config
    for part in name.split('.'):
        if part not in (_fields(node) or ()):
            return False
        node = _child(node, part)
    return True


def _check_option(config: Config, name: str) -> None:
    """Refuse an option whose parents do not exist; MMEngine would add a field that nothing reads."""
    node: Any = config
    parts = name.split('.')
    for position, part in enumerate(parts):
        known = _fields(node)
        if known is None or part in known:
            node = None if known is None else _child(node, part)
        elif position == 0 and part in _OPTIONAL_FIELDS:
            return
        elif position > 0 and ('type' in known or position == len(parts) - 1):
            return  # a new field of a typed part: its constructor knows whether it fits
        else:
            close = difflib.get_close_matches(part, known, n=1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            raise UserError(f'--cfg-options {name}: there is no field {part!r} in the config{hint}')


def _fields(node: Any) -> list[str] | None:
    """Return the field names of a config node, or None where anything may be set."""
    if isinstance(node, (Mapping, Config)):
        return list(node.keys())
    if isinstance(node, (list, tuple)):
        return [str(index) for index in range(len(node))]
    return None


def _child(node: Any, part: str) -> Any:
    """Go one level down."""
    return node[int(part)] if isinstance(node, (list, tuple)) else node[part]


def set_work_dir(config: Config, work_dir: str | None, path: str) -> None:
    """Decide the work directory: command line, then config, then `work_dirs/<config name>`.

    Args:
        config: Config to change.
        work_dir: Value of `--work-dir`.
        path: Config file.
    """
    if work_dir is not None:
        config.work_dir = work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / Path(path).stem)


def use_mixed_precision(config: Config, dtype: str = 'float16') -> None:
    """Switch all optimizers to mixed precision (`--amp`).

    Args:
        config: Config to change.
        dtype: `float16`, with a loss scale, or `bfloat16`, without one.

    Raises:
        UserError: This machine does not compute in this type.
    """
    reason = why_no_bfloat16() if dtype == 'bfloat16' else None
    if dtype == 'float16' and not torch.cuda.is_available():
        reason = 'it needs a CUDA device and none was found; leave --amp away on the CPU'
        if why_no_bfloat16() is None:
            reason += ', or use --amp bfloat16, which this CPU computes in'
    if reason is not None:
        raise UserError(f'--amp {dtype}: {reason}')
    wrapper = config.optim_wrapper
    single = 'optimizer' in wrapper
    parts: list[Any] = [wrapper] if single else [v for v in wrapper.values() if isinstance(v, dict)]
    for part in parts:
        if dtype == 'float16':
            part.update(type='AmpOptimWrapper', dtype=dtype, loss_scale='dynamic')
        else:
            part['type'] = Bfloat16OptimWrapper.__name__
            for name in ('dtype', 'loss_scale'):
                part.pop(name, None)


def scale_learning_rate(config: Config) -> None:
    """Switch the scaling of the learning rate with the batch size on (`--auto-scale-lr`).

    Args:
        config: Config to change; `auto_scale_lr.base_batch_size` says what its rates are meant for.

    Raises:
        UserError: The config does not say which batch size its learning rates are meant for.
    """
    if 'base_batch_size' not in config.get('auto_scale_lr', {}):
        raise UserError(
            '--auto-scale-lr: the config has no auto_scale_lr.base_batch_size; add '
            'auto_scale_lr = dict(base_batch_size=N) with the batch size that its rates are meant for'
        )
    config.auto_scale_lr.enable = True


def disable_validation(config: Config) -> None:
    """Train without validation (`--no-validate`)."""
    for name in ('val_cfg', 'val_dataloader', 'val_evaluator'):
        config[name] = None
    config.default_hooks.checkpoint.save_best = None


def build_runner(config: Config) -> Any:
    """Build the runner that the config selects.

    Args:
        config: A complete config.

    Raises:
        UserError: A part of the config does not fit.
    """
    from mmagic.registry import RUNNERS

    from attentive_gan.engine.runner.explained import explained
    from attentive_gan.engine.runner.restoration_runner import RestorationRunner

    name = config.get('runner_type', RestorationRunner.__name__)
    with explained('runner_type'):
        runner_class = RUNNERS.get(name)
        if runner_class is None:
            raise KeyError(f'there is no runner {name!r}')
    with explained('runner'):
        return runner_class.from_cfg(config)
