"""Configs in YAML and JSON: values and names of registered classes, no code.

MMEngine reads YAML by a loader that builds any Python object (`!!python/object/apply:os.system`), follows
`_base_` into Python files and imports whatever `custom_imports` or a `type` with dots names. A config that
is meant to be code is a .py file.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from mmengine.config import Config

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.strict_json import one_line, parse_json, read_small_text
from attentive_gan.utils.strict_yaml import parse_yaml

#: Suffixes of these files.
PLAIN_SUFFIXES = ('.yaml', '.yml', '.json')

_MAX_BYTES = 2**20
_MAX_BASES = 16
_BASES = '_base_'
#: Packages whose modules `custom_imports` may name.
_PACKAGES = ('attentive_gan', 'mmagic', 'mmengine', 'mmcv')


def read_plain_config(path: Path) -> Config:
    """Read a config in YAML or JSON; `_base_` may name others of this kind.

    Args:
        path: The file.

    Raises:
        UserError: It cannot be read, or has values that would run code.
    """
    return _imported(Config(_with_bases(path, ()), filename=str(path)), path)


def plain_config(values: dict[str, Any], path: Path) -> Config:
    """Return a config of plain values.

    Args:
        values: Fields by name.
        path: The file that they are from, for messages.

    Raises:
        ValueError: A value would import or run something.
        UserError: What `custom_imports` names is not there.
    """
    _check(values, '')
    return _imported(Config(values), path)


def _imported(config: Config, path: Path) -> Config:
    """Import what a config names in `custom_imports`."""
    for name in _as_list((config.get('custom_imports') or {}).get('imports', [])):
        try:
            importlib.import_module(name)
        except ImportError as error:  # noqa: PERF203 -- a few names
            raise UserError(f'{shown(path)}: custom_imports: {one_line(error)}') from error
    return config


def _with_bases(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    content = _read(path)
    bases = _as_list(content.pop(_BASES, []))
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise UserError(f'{shown(path)}: {_BASES} must be a list of files')
    merged: dict[str, Any] = {}
    for base in bases:
        file = path.parent / base
        if file.suffix not in PLAIN_SUFFIXES:
            raise UserError(
                f'{shown(path)}: {_BASES} {shown(base)!r} is no YAML or JSON file; a config that inherits '
                'from Python files must be a .py file itself'
            )
        if file.resolve() in above or len(above) >= _MAX_BASES:
            raise UserError(f'{shown(path)}: {_BASES} {shown(base)!r} leads back to itself')
        found = _with_bases(file, (*above, path.resolve()))
        twice = sorted(map(str, merged.keys() & found.keys()))
        if twice:
            raise UserError(f'{shown(path)}: two files of {_BASES} define {twice[0]!r}')
        merged |= found
    try:
        return dict(Config._merge_a_into_b(content, merged))
    except (TypeError, KeyError) as error:
        raise UserError(f'{shown(path)} does not fit its {_BASES}: {one_line(error)}') from error


def _read(path: Path) -> dict[str, Any]:
    """Read one file, without its bases."""
    parse = parse_json if path.suffix == '.json' else parse_yaml
    try:
        content = parse(read_small_text(path, _MAX_BYTES))
        if not isinstance(content, dict):
            raise ValueError('expected fields by name')
        _check(content, '')
    except (OSError, ValueError) as error:
        raise UserError(
            f'config {shown(path)} cannot be read: {one_line(error)}; YAML and JSON configs hold plain '
            'values only, code belongs in a .py config'
        ) from error
    return content


def _check(value: Any, where: str) -> None:
    """Raise if a value would import or run something, or is no field of a config."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_field(key, item, where)
    elif isinstance(value, list):
        for item in value:
            _check(item, where)
    elif isinstance(value, str):
        if '{{' in value:
            raise ValueError(f'{where}: variables such as {{{{ fileBasename }}}} need a .py config')
    elif value is not None and not isinstance(value, (bool, int, float)):
        raise ValueError(f'{where}: {type(value).__name__} is no plain value')


def _check_field(key: Any, item: Any, where: str) -> None:
    if not isinstance(key, str):
        raise ValueError(f'{where or "it"}: the field {key!r:.40} is no text')
    place = f'{where}.{key[:40]}'.lstrip('.')
    if key == 'custom_imports':
        _check_imports(item)
    elif key in ('type', '_scope_') and not (isinstance(item, str) and _is_name(item)):
        raise ValueError(f'{place}: {item!r:.80} is not the name of a registered class')
    _check(item, place)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _is_name(text: str) -> bool:
    """Return whether a text is the name of a class, such as 'PackPair' or 'mmagic.PSNR'.

    MMEngine takes a first part that is a scope off, and imports a path of more parts.
    """
    scope, _, name = text.rpartition('.')
    return name.isidentifier() and scope in ('', *_PACKAGES)


def _check_imports(value: Any) -> None:
    imports = value.get('imports') if isinstance(value, dict) else None
    names = _as_list(imports)
    if not isinstance(names, list) or not all(
        isinstance(name, str) and name.partition('.')[0] in _PACKAGES for name in names
    ):
        raise ValueError(f'custom_imports may name modules of {", ".join(_PACKAGES)} only')
