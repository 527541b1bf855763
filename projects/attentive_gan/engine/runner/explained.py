"""Turns what MMEngine raises for a config that does not fit into one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from attentive_gan.errors import UserError

#: What MMEngine and the registries raise for a config that does not fit.
_CONFIG_ERRORS = (TypeError, KeyError, AssertionError, ValueError, AttributeError, ImportError)


@contextmanager
def explained(section: str) -> Iterator[None]:
    """Turn errors while a part is built from its config into one line that names the section.

    Args:
        section: Name of the config field, such as `train_dataloader`.

    Raises:
        UserError: The part could not be built.
    """
    try:
        yield
    except _CONFIG_ERRORS as error:
        message = re.sub(r'\s+', ' ', str(error.args[0] if error.args else error))
        raise UserError(f'config field {section!r} does not fit: {message}') from error
