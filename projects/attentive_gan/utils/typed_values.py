"""Builds dataclasses from plain values of a file, and checks every value against its type hint."""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union

T = TypeVar('T')

#: Largest absolute value of a number; sums of many stay exact enough and finite.
LARGEST = 1e15


def build(kind: type[T], value: Any, where: str = '') -> T:
    """Return a value of a type from plain values, as `dataclasses.asdict` and JSON leave them.

    Args:
        kind: A dataclass, a `NamedTuple`, `list[X]`, `dict[str, X]`, a union, a `Literal`, `str`, `int`,
            `float`, `bool` or `Any`. Numbers are limited to `LARGEST`; an int is accepted for a float.
        value: The plain value; objects for dataclasses and named tuples.
        where: Path to the value, for messages.

    Raises:
        ValueError: A field is missing, unknown, or of another type.

    Examples:
        >>> build(list[int], [1, 2])
        [1, 2]
        >>> build(dict[str, float], {'psnr': 'high'}, 'means')
        Traceback (most recent call last):
        ValueError: means.psnr: expected float, got str
    """
    return typing.cast(T, _build(kind, value, where))


def _build(kind: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _union(kind, value, where)
    if origin is Literal:
        if not isinstance(value, str) or value not in typing.get_args(kind):
            raise ValueError(f'{where}: expected one of {", ".join(typing.get_args(kind))}')
        return value
    if origin is list:
        (inner,) = typing.get_args(kind)
        items = _of_type(list, value, where)
        return [_build(inner, item, f'{where}[{number}]') for number, item in enumerate(items)]
    if origin is dict:
        inner = typing.get_args(kind)[1]
        rows = _of_type(dict, value, where)
        return {key: _build(inner, item, _below(where, key)) for key, item in rows.items()}
    if is_dataclass(kind) or hasattr(kind, '_fields'):
        return _record(kind, value, where)
    return _scalar(kind, value, where)


def _union(kind: Any, value: Any, where: str) -> Any:
    """Build an optional value; unions of more than one type and None are not needed."""
    (inner,) = (item for item in typing.get_args(kind) if item is not type(None))
    return None if value is None else _build(inner, value, where)


def _record(kind: Any, value: Any, where: str) -> Any:
    """Build a dataclass or named tuple from an object with its fields."""
    hints = typing.get_type_hints(kind)
    rows = _of_type(dict, value, where)
    unknown = next((key for key in rows if key not in hints), None)
    if unknown is not None:
        raise ValueError(f'{_below(where, unknown)}: there is no such field')
    missing = next((key for key in hints if key not in rows and not _has_default(kind, key)), None)
    if missing is not None:
        raise ValueError(f'{_below(where, missing)} is missing')
    return kind(**{key: _build(hints[key], item, _below(where, key)) for key, item in rows.items()})


def _has_default(kind: Any, name: str) -> bool:
    if not is_dataclass(kind):
        return name in kind._field_defaults
    field = next(field for field in fields(kind) if field.name == name)
    return field.default is not MISSING or field.default_factory is not MISSING


def _scalar(kind: type, value: Any, where: str) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in (int, float) and is_number and not abs(value) <= LARGEST:
        raise ValueError(f'{where}: the number is out of range')
    if kind is float and is_number:
        return float(value)
    if kind is int and isinstance(value, bool):
        raise ValueError(f'{where}: expected int, got bool')
    return _of_type(kind, value, where)


def _of_type(kind: type[T], value: Any, where: str) -> T:
    if not isinstance(value, kind):
        raise ValueError(f'{where or "it"}: expected {kind.__name__}, got {type(value).__name__}')
    return value


def _below(where: str, key: str) -> str:
    """Return the path of a field, short and printable whatever its name is."""
    name = key if key.isidentifier() and len(key) <= 40 else ascii(key[:40])
    return f'{where}.{name}' if where else name
