"""Filters that keep the console readable."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

#: Starts of MMEngine's messages about its own code, and about layers that no network here has.
_NOISE = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    'Distributed training is not used, all SyncBatchNorm',
)


def _is_wanted(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_NOISE)


def drop_noise(logger: logging.Logger) -> None:
    """Drop MMEngine's messages about its own code from a logger."""
    logger.addFilter(_is_wanted)  # has no effect the second time


@contextmanager
def file_only(logger: logging.Logger) -> Iterator[None]:
    """Log to the log file and not to the console in the block."""
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
