"""Reports MMEngine's errors about a config in one line that names the config field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attentive_gan.errors import UserError

from .config_faults import faults
from .config_values import wrong_best_metric, wrong_values

#: What MMEngine and the registries raise for invalid configs.
_CONFIG_ERRORS = (TypeError, KeyError, AssertionError, ValueError, AttributeError, ImportError)


class ConfigFieldError(UserError):
    """A part of a config could not be built."""


@contextmanager
def config_field(name: str) -> Iterator[None]:
    """Turn errors in the block, or in the decorated function, into one line that names a config field.

    Args:
        name: Config field that the block builds from, such as `train_dataloader`.

    Raises:
        ConfigFieldError: The block failed.

    Examples:
        >>> try:
        ...     with config_field('model'):
        ...         raise KeyError('UNet is not registered')
        ... except UserError as error:
        ...     str(error)
        "config field 'model' does not fit: UNet is not registered"
    """
    try:
        yield
    except _CONFIG_ERRORS as error:
        message = re.sub(r'\s+', ' ', str(error.args[0] if error.args else error))
        message = message.partition(' Please check whether the value')[0]
        raise ConfigFieldError(f'config field {name!r} does not fit: {message}') from error


def check_values(config: Mapping[str, Any], training: bool = True) -> None:
    """Raise if a plain value cannot be meant, before anything reads the config.

    Args:
        config: Complete config.
        training: Whether it is for a training, which selects the best checkpoint.

    Raises:
        UserError: A field has a wrong value.
    """
    best = wrong_best_metric(config) if training else ()
    for path, text in (*wrong_values(config), *best):
        raise UserError(f'config field {path}: {text}')


@contextmanager
def explained(config: Mapping[str, Any]) -> Iterator[None]:
    """Name the field of a config that makes the block fail, where one can be found.

    Args:
        config: Complete config.

    Raises:
        UserError: A field is wrong.
    """
    wrong = next((fault for fault in faults(config) if fault.certain), None)
    if wrong is not None:
        raise UserError(str(wrong))
    try:
        yield
    except (ConfigFieldError, TypeError) as error:
        found = next(faults(config), None)
        if found is None:
            raise
        raise UserError(str(found)) from error
