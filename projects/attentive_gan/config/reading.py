"""Reads configs and applies what the command line changes in them."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from attentive_gan.engine.optimizers.bfloat16 import Bfloat16OptimWrapper, why_no_bfloat16
from attentive_gan.errors import UserError
from attentive_gan.utils.strict_json import one_line

from .options import apply_options
from .plain_files import PLAIN_SUFFIXES, read_plain_config
from .stored_config import read_stored_config

#: Folder of `attentive_gan`.
_PACKAGE = Path(__file__).resolve().parent.parent


def load_config(path: str, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config file and apply `--cfg-options`.

    Args:
        path: Config file: .py, which is code, or .yaml, .yml or .json, from which no code is run.
        options: Dotted field names and new values, see `apply_options`.

    Raises:
        UserError: The file is missing or invalid, uses a name of version 0.1.0, or an option names a field
            that nothing reads.
    """
    if not Path(path).is_file():
        raise UserError(f'config not found: {path}')
    importlib.import_module('attentive_gan.registration')  # bases such as `mmagic::...` need it too
    config = (
        read_plain_config(Path(path))
        if Path(path).suffix in PLAIN_SUFFIXES
        else _read_python_config(path)
    )
    apply_options(config, options or {}, path)
    return config


def load_stored_config(checkpoint: Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read the config stored in a checkpoint, without running code, and apply `--cfg-options`.

    Args:
        checkpoint: A checkpoint of a training.
        options: As for `load_config`.

    Raises:
        UserError: The checkpoint cannot be read or holds no config of plain values, or an option names a
            field that nothing reads.
    """
    importlib.import_module('attentive_gan.registration')
    config = read_stored_config(checkpoint)
    apply_options(config, options or {}, str(checkpoint))
    return config


def _read_python_config(path: str) -> Config:
    """Run a Python config, which is code and may do and raise anything."""
    try:
        config = Config.fromfile(path)
        # MMEngine formats a config's text for every checkpoint, which takes seconds for long paths in
        # nested lists; its argument for this is ignored (0.10.7).
        object.__setattr__(config, '_format_python_code', False)
        return config
    except UserError:
        raise
    except Exception as error:
        raise UserError(f'config {path} cannot be read: {_why_unreadable(error)}') from error


def _why_unreadable(error: BaseException) -> str:
    """Say why a config cannot be read; MMEngine hides why a custom import failed."""
    failed = re.match(r'Failed to import ([\w.]+)$', str(error.__cause__ or error))
    if failed is None:
        cause = error.__cause__ or error
        if isinstance(cause, TypeError) and 'import_modules_from_strings' in str(cause):
            return "custom_imports must be dict(imports=['package.module', ...])"
        return f'{type(cause).__name__}: {cause}'
    chain: BaseException | None = error
    while chain is not None and str(chain).startswith('Failed to import'):
        chain = chain.__cause__ or chain.__context__
    name = failed[1]
    if not name.startswith('attentive_gan.'):
        hint = '; set PYTHONPATH to the folder that holds its package' if '.' in name else ''
        return f'custom_imports: {name} cannot be imported ({one_line(chain or error)}){hint}'
    modules = pkgutil.walk_packages([str(_PACKAGE)], 'attentive_gan.', lambda _: None)
    close = difflib.get_close_matches(name, [module.name for module in modules], n=1)
    hint = f'; did you mean {close[0]!r}?' if close else '.'
    return (
        f'custom_imports: there is no module {name!r}{hint} It needs attentive_gan.registration; other '
        'modules may have moved since version 0.1.0 (see CHANGELOG.md)'
    )


def set_work_dir(config: Config, work_dir: str | None, path: str) -> None:
    """Set the work directory: command line, then config, then `work_dirs/<config name>`.

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
        UserError: This machine does not support the type.
    """
    reason = why_no_bfloat16() if dtype == 'bfloat16' else None
    if dtype == 'float16' and not torch.cuda.is_available():
        reason = 'it needs a CUDA device and none was found; omit --amp on the CPU'
        if why_no_bfloat16() is None:
            reason += ', or use --amp bfloat16, which this CPU supports'
    if reason is not None:
        raise UserError(f'--amp {dtype}: {reason}')
    for part in optimizer_wrappers(config).values():
        if dtype == 'float16':
            part.update(type='AmpOptimWrapper', dtype=dtype, loss_scale='dynamic')
        else:
            part['type'] = Bfloat16OptimWrapper.__name__
            for name in ('dtype', 'loss_scale'):
                part.pop(name, None)


def optimizer_wrappers(config: Config) -> dict[str | None, Any]:
    """Return the configs of all optimizer wrappers by network; of a single one by None."""
    wrapper: Any = config.optim_wrapper
    if 'optimizer' in wrapper:
        return {None: wrapper}
    return {name: part for name, part in wrapper.items() if isinstance(part, dict)}


def scale_learning_rate(config: Config) -> None:
    """Scale the learning rates with the total batch size (`--auto-scale-lr`).

    Args:
        config: Config to change; its rates are those for `auto_scale_lr.base_batch_size`.

    Raises:
        UserError: The config has no `auto_scale_lr.base_batch_size`.
    """
    if 'base_batch_size' not in config.get('auto_scale_lr', {}):
        raise UserError(
            '--auto-scale-lr: the config has no auto_scale_lr.base_batch_size; add '
            'auto_scale_lr = dict(base_batch_size=N), the batch size of its learning rates'
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
        UserError: A field of the config is invalid.
    """
    from mmagic.registry import RUNNERS

    from attentive_gan.engine.runner.config_errors import config_field
    from attentive_gan.engine.runner.restoration_runner import RestorationRunner

    name = config.get('runner_type', RestorationRunner.__name__)
    with config_field('runner_type'):
        runner_class = RUNNERS.get(name)
        if runner_class is None:
            close = difflib.get_close_matches(name, RUNNERS.module_dict, n=1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            raise KeyError(f'there is no runner {name!r}{hint}')
    with config_field('runner'):
        return runner_class.from_cfg(config)
