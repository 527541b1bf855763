"""Ends a training on SIGTERM, SIGINT or SIGUSR1 with a checkpoint."""

from __future__ import annotations

import datetime
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import torch
from mmengine.dist import get_world_size
from torch import distributed

from attentive_gan.errors import StoppedBySignal

#: Signals that end a training: of `kill` and schedulers, of the keyboard, and Slurm's usual warning.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
#: A second signal within this time is a copy of the first: launchers and terminals both send one.
REPEATED_SECONDS = 1.0


class StopSignals:
    """Notes the first signal; a second one ends the process at once.

    Processes that train together agree on the signal, so that all of them end after the same
    iteration. The agreement is exchanged while the next iteration runs, on the host.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        #: Seconds to wait for the other processes; None for torch's default.
        self.timeout: float | None = None
        self._time = 0.0
        self._deferring = False
        self._pid = os.getpid()
        self._group: Any = None
        self._exchange: tuple[Any, torch.Tensor] | None = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Handle the signals in the block; only Python's main thread can.

        Raises:
            StoppedBySignal: A signal arrived, in a block that is not `deferred`.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self.received, self._pid = None, os.getpid()
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def deferred(self, wanted: bool = True) -> Iterator[None]:
        """Note signals in the block without an exception; with `wanted=False` the opposite."""
        before, self._deferring = self._deferring, wanted
        try:
            yield
        finally:
            self._deferring = before

    def agreed(self) -> int | None:
        """Return the signal on which all processes end now, or None; each must call this as often."""
        if get_world_size() == 1:
            return self.received
        if self._group is None:
            timeout = None if self.timeout is None else datetime.timedelta(seconds=self.timeout)
            self._group = distributed.new_group(backend='gloo', timeout=timeout)
        before = self._exchange
        value = torch.tensor([self.received or 0])
        work = distributed.all_reduce(
            value, distributed.ReduceOp.MAX, group=self._group, async_op=True
        )
        self._exchange = (work, value)
        return self._result(before)

    def finish(self) -> None:
        """Wait for the last exchange with the other processes."""
        before, self._exchange = self._exchange, None
        self._result(before)

    @staticmethod
    def _result(exchange: tuple[Any, torch.Tensor] | None) -> int | None:
        if exchange is None:
            return None
        exchange[0].wait()
        return int(exchange[1]) or None

    def soon(self, seconds: float = 0.5) -> bool:
        """Return whether a signal arrived or arrives within some seconds.

        Args:
            seconds: Time to wait; the signal that ended a worker may have been sent to this process too.
        """
        end = time.monotonic() + seconds
        while self.received is None and time.monotonic() < end:
            time.sleep(0.02)
        return self.received is not None

    def _handle(self, number: int, _frame: Any) -> None:
        """Note a signal, or end the process if it is the second."""
        if os.getpid() != self._pid:  # a worker, which its parent ends
            return
        if self.received is not None:
            if time.monotonic() - self._time >= REPEATED_SECONDS:
                _end_at_once(number)
            return
        self.received, self._time = number, time.monotonic()
        if not self._deferring:
            raise StoppedBySignal(number, 'nothing new to save')


def _end_at_once(number: int) -> NoReturn:
    sys.stderr.write(f'{signal.Signals(number).name} again: ended without a further checkpoint\n')
    sys.stderr.flush()
    os._exit(128 + number)
