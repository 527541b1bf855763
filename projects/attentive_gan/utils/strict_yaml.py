"""Strict reading of YAML: plain values only, no code."""

from __future__ import annotations

from typing import Any

import yaml

from .strict_json import check_size, one_line

#: Most values of a file, where those behind an alias count at each place.
MAX_VALUES = 100_000


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key that occurs twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1 and key != '<<'), None)
        if twice is not None:
            raise yaml.YAMLError(f'the key {twice[:80]!r} occurs twice')
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """Parse YAML; tags such as `!!python/object/apply` are refused and nothing is run.

    Args:
        text: YAML of one document.

    Raises:
        ValueError: It is no YAML, asks for Python objects, or unfolds to too many or too deep values.

    Example:
        >>> parse_yaml('[1, {a: x}]')
        [1, {'a': 'x'}]
    """
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 -- a SafeLoader
    except RecursionError as error:
        raise ValueError('its values are nested too deeply') from error
    except (yaml.YAMLError, TypeError, KeyError, AttributeError, OverflowError) as error:
        # PyYAML's constructors of dates, sets and merges let their own errors through.
        problem = getattr(error, 'problem', None)
        mark = getattr(error, 'problem_mark', None)
        where = f' in line {mark.line + 1}' if mark else ''
        if problem and 'tag:yaml.org,2002:python' in problem:
            problem = f'{problem.rpartition(" ")[2]} would run code, which YAML must not'
        raise ValueError(f'{problem or one_line(error)}{where}') from error
    check_size(value, MAX_VALUES)
    return value
