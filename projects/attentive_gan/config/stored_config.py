"""The config that a training stores in its checkpoints, read without running it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from mmengine.config import Config

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.checkpoint_io import read_checkpoint
from attentive_gan.utils.strict_json import one_line

from .plain_files import plain_config

#: Longest text of a config, in characters.
_MOST_CHARACTERS = 2**20


def read_stored_config(path: Path) -> Config:
    """Return the config of a checkpoint.

    MMEngine stores it as Python: assignments of numbers, texts, lists and `dict(...)`. Nothing else is
    accepted, and names of classes and modules are limited as in YAML configs.

    Args:
        path: A checkpoint of a training (.pth).

    Raises:
        UserError: It cannot be read, has no config, or one with more than plain values.
    """
    meta = read_checkpoint(path).get('meta')
    text = meta.get('cfg') if isinstance(meta, dict) else None
    if not isinstance(text, str):
        raise UserError(f'{shown(path)} holds no config; name the config that it was trained with')
    try:
        if len(text) > _MOST_CHARACTERS:
            raise ValueError('it is too long')
        values = {name: _value(node) for name, node in _assignments(text)}
        return plain_config(values, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(
            f'{shown(path)}: the config in it is not made of plain values ({one_line(error)}); name the '
            'config that it was trained with'
        ) from error


def _assignments(text: str) -> list[tuple[str, ast.expr]]:
    found = []
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise ValueError(f'line {statement.lineno}')
        found.append((statement.targets[0].id, statement.value))
    return found


def _value(node: ast.expr) -> Any:
    """Return the value of an expression; tuples become lists, as in JSON."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        keys = [_value(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_value, node.values), strict=True))
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict' and not node.args:
        if all(field.arg for field in node.keywords):
            return {str(field.arg): _value(field.value) for field in node.keywords}
        raise ValueError(f'line {node.lineno}')
    return ast.literal_eval(node)
