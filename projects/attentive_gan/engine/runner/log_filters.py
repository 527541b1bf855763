"""Keeps the console readable: what nobody can act on goes to the log file alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

#: Beginnings of MMEngine's messages about its own code, and about layers that nothing here has.
_NOISE = (
    '"FileClient" will be deprecated', '"HardDiskBackend" is the alias',
    'Distributed training is not used, all SyncBatchNorm',
)  # fmt: skip


class _NoiseFilter(logging.Filter):
    """Drops MMEngine's messages about its own code."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is kept."""
        return not str(record.msg).startswith(_NOISE)


def drop_noise(logger: logging.Logger) -> None:
    """Drop MMEngine's messages about its own code from a logger."""
    if not any(isinstance(item, _NoiseFilter) for item in logger.filters):
        logger.addFilter(_NoiseFilter())


@contextmanager
def file_only(logger: logging.Logger) -> Iterator[None]:
    """Send what is logged in the block to the log file and not to the console."""
    consoles = [
        handler
        for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler)
        and not isinstance(handler, logging.FileHandler)
    ]
    for handler in consoles:
        logger.removeHandler(handler)
    try:
        yield
    finally:
        for handler in consoles:
            logger.addHandler(handler)
