"""Changes of single config fields, as after `--cfg-options`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from attentive_gan.engine.runner.renamed_names import check_names
from attentive_gan.errors import UserError

#: Optional fields of MMEngine's runner, which an option may set although the config lacks them.
_OPTIONAL_FIELDS = (
    'auto_scale_lr', 'custom_hooks', 'load_from', 'log_level', 'randomness', 'resume', 'work_dir',
    'experiment_name', 'model_wrapper_cfg', 'visualizer', 'log_processor', 'find_unused_parameters',
    'sync_bn', 'activation_checkpointing', 'env_cfg', 'param_scheduler', 'memory_format',
)  # fmt: skip


def apply_options(config: Config, options: Mapping[str, Any], path: str) -> None:
    """Change fields of a config; `data_root` moves every data set below the config's `data_root`.

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
    check_names(config, path)


def has_field(config: Config, name: str) -> bool:
    """Return whether a config has a field.

    Args:
        config: Complete config.
        name: Dotted name of the field; list items by their index.

    Examples:
        >>> config = Config(dict(model=dict(type='AttentiveGAN'), hooks=[dict(interval=5)]))
        >>> has_field(config, 'hooks.0.interval'), has_field(config, 'model.ema')
        (True, False)
    """
    node: Any = config
    for part in name.split('.'):
        if part not in (_fields(node) or ()):
            return False
        node = _child(node, part)
    return True


def _check_option(config: Config, name: str) -> None:
    """Raise if the parents of a field do not exist; MMEngine would add a field that nothing reads."""
    node: Any = config
    parts = name.split('.')
    for position, part in enumerate(parts):
        known = _fields(node)
        if known is None or part in known:
            node = None if known is None else _child(node, part)
        elif position == 0 and part in _OPTIONAL_FIELDS:
            return
        elif position > 0 and ('type' in known or position == len(parts) - 1):
            return  # a new argument of a class: its constructor checks it
        else:
            close = difflib.get_close_matches(part, known, n=1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            raise UserError(f'--cfg-options {name}: there is no field {part!r} in the config{hint}')


def _fields(node: Any) -> list[str] | None:
    """Return the field names of a config node, or None if any may be set."""
    if isinstance(node, (Mapping, Config)):
        return list(node.keys())
    if isinstance(node, (list, tuple)):
        return [str(index) for index in range(len(node))]
    return None


def _child(node: Any, part: str) -> Any:
    return node[int(part)] if isinstance(node, (list, tuple)) else node[part]


def _move_data(config: Config, folder: str) -> None:
    """Replace the config's `data_root` in the folders of all data sets."""
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
