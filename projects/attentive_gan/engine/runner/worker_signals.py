"""Reports of lost data loader workers come up where data are loaded, not inside a save."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

#: Functions in which data are waited for: of torch's loader and of `PooledDataLoader`.
_WAITING = ('_try_get_data', 'wait_for_pool')


class WorkerSignals:
    """Defers torch's report of a lost worker until data are loaded.

    torch raises it from its handler of SIGCHLD, at whatever line the main thread runs. There a library may
    turn it into an error of its own or drop it.
    """

    def __init__(self) -> None:
        self._report: Callable[[int, FrameType | None], Any] | None = None
        self._pending = False

    def take_over(self) -> None:
        """Put this handler before torch's, which exists once a loader with workers is iterated over."""
        if threading.current_thread() is not threading.main_thread():
            return
        present = signal.getsignal(signal.SIGCHLD)
        if callable(present) and present != self._handle:
            before = getattr(present, '__self__', None)  # of a training that failed
            self._report = before._report if isinstance(before, WorkerSignals) else present
            signal.signal(signal.SIGCHLD, self._handle)

    def release(self) -> None:
        """Give the signal back to torch, after a training that did not fail.

        After one that did, torch's report may still come, and would come up while the program ends.
        """
        if self._report is not None and signal.getsignal(signal.SIGCHLD) == self._handle:
            signal.signal(signal.SIGCHLD, self._report)
        self._report, self._pending = None, False

    def check(self) -> None:
        """Raise the report of a worker that was lost since the last call.

        Raises:
            RuntimeError: torch's report.
        """
        if self._pending and self._report is not None:
            self._pending = False
            self._report(signal.SIGCHLD, None)

    def _handle(self, _: int, frame: FrameType | None) -> None:
        self._pending = True
        while frame is not None and frame.f_code.co_name not in _WAITING:
            frame = frame.f_back
        if frame is not None:
            self.check()
