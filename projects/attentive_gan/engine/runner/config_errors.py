"""Reports MMEngine's errors about a config in one line that names the config field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from attentive_gan.errors import UserError

#: What MMEngine and the registries raise for invalid configs.
_CONFIG_ERRORS = (TypeError, KeyError, AssertionError, ValueError, AttributeError, ImportError)


@contextmanager
def config_field(name: str) -> Iterator[None]:
    """Turn errors in the block, or in the decorated function, into one line that names a config field.

    Args:
        name: Config field that the block builds from, such as `train_dataloader`.

    Raises:
        UserError: The block failed.

    Examples:
        >>> with config_field('model'):
        ...     raise KeyError('UNet is not registered')
        Traceback (most recent call last):
        ...
        attentive_gan.errors.UserError: config field 'model' does not fit: UNet is not registered
    """
    try:
        yield
    except _CONFIG_ERRORS as error:
        message = re.sub(r'\s+', ' ', str(error.args[0] if error.args else error))
        raise UserError(f'config field {name!r} does not fit: {message}') from error
