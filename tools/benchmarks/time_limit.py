"""Ending work that takes too long."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class TimeIsUp(BaseException):
    """Work was ended because its time was up.

    No `Exception`, so that code which catches any error of its own lets it pass.
    """


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End what runs in the block after some seconds, between two steps of the Python interpreter.

    Works by the alarm signal, in the main thread of a POSIX system; elsewhere there is no limit. An alarm
    that was set before is set again at the end, less the time that has passed.

    Args:
        seconds: How long the block may run, more than 0.

    Raises:
        TimeIsUp: The time was up.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or not hasattr(signal, 'setitimer'):
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> NoReturn:
        raise TimeIsUp

    start = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    # It rings again each second, because an error in a finalizer ends nothing.
    delay, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if delay:
            left = max(delay - (time.monotonic() - start), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
