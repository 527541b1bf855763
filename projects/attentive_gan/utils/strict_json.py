"""Strict reading of JSON from files that others may have made."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError, shown

#: Largest file, in bytes: the result of 50,000 images has about 25 MB.
MAX_BYTES = 32 * 2**20
#: Longest text, in characters: a complete config has about 20,000.
MAX_TEXT = 2**20
#: Most levels of lists and objects in each other.
MAX_DEPTH = 32


def parse_json(text: str) -> Any:
    """Parse JSON without the extensions of Python's parser.

    Refused are NaN and Infinity, numbers that become infinite (1e400), an object with the same key twice,
    texts of more than `MAX_TEXT` characters, and more than `MAX_DEPTH` levels.

    Args:
        text: JSON.

    Raises:
        ValueError: It is no JSON, or has one of these values.

    Example:
        >>> parse_json('[1, null]')
        [1, None]
        >>> parse_json('{"a": 1, "a": 2}')
        Traceback (most recent call last):
        ValueError: the key 'a' occurs twice
    """
    try:
        value = json.loads(
            text, parse_float=_finite, parse_constant=_refuse, object_pairs_hook=_unique
        )
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    check_size(value)
    return value


def read_json(path: Path, what: str, advice: str, max_bytes: int = MAX_BYTES) -> Any:
    """Read a JSON file by the rules of `parse_json`.

    Args:
        path: A regular file.
        what: What the file should be, for the message, such as 'a result'.
        advice: What to do otherwise.
        max_bytes: Largest accepted file.

    Raises:
        UserError: The file cannot be read, is larger than `max_bytes`, or is no such JSON.
    """
    try:
        return parse_json(read_small_text(path, max_bytes))
    except (OSError, ValueError) as error:
        raise UserError(f'{shown(path)} is not {what} ({one_line(error)}); {advice}') from error


def read_small_text(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """Read a regular file of UTF-8 text.

    Args:
        path: The file; a device or a named pipe, which might never end, is refused.
        max_bytes: Largest accepted file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no regular file, too large, or not UTF-8.
    """
    if path.exists() and not path.is_file():
        raise ValueError('it is no regular file')
    with path.open('rb') as stream:
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f'it is larger than {max_bytes / 2**20:g} MiB')
    return content.decode('utf-8')


def check_size(value: Any, most_values: float = math.inf) -> None:
    """Raise if plain values are nested too deeply, or hold texts that are too long.

    Args:
        value: Lists, dictionaries and scalars. An object that occurs in several places counts in each.
        most_values: Most values in all.

    Raises:
        ValueError: They are.
    """
    stack, count = [(value, 0)], 0
    while stack:
        item, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise ValueError(_TOO_DEEP)
        if count > most_values:
            raise ValueError(f'it holds more than {most_values:,} values')
        if isinstance(item, str) and len(item) > MAX_TEXT:
            raise ValueError(f'a text has {len(item):,} characters, {MAX_TEXT:,} are allowed')
        if isinstance(item, dict):
            stack += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, (list, tuple)):
            stack += [(part, depth + 1) for part in item]


def one_line(error: BaseException) -> str:
    """Return the message of an error on one line of at most 300 characters."""
    return shown(' '.join(str(error).split())[:300]) or type(error).__name__


_TOO_DEEP = f'its values are nested more than {MAX_DEPTH} levels deep'


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f'the number {text[:40]} is not finite')
    return value


def _refuse(text: str) -> float:
    raise ValueError(f'{text} is no number of JSON')


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise ValueError(f'the key {twice[:80]!r} occurs twice')
    return found
