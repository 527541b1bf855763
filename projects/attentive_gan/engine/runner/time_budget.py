"""A training's time: how much of it is spent, and how far the training is."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: Iterations whose times are remembered; their median is what the next one will take.
REMEMBERED = 21

#: Processes that train together agree about the time so many seconds apart.
AGREEMENT_SECONDS = 1.0

#: They do so at least in every so many-th iteration.
LONGEST_STRETCH = 50


@dataclass(frozen=True)
class Stretch:
    """Iterations that are planned together, so that all processes do the same."""

    progress: float
    """Share of the training done before the first of them, in [0, 1]."""
    step: float
    """Share that each adds."""
    count: int
    """Number of iterations, at least 1."""
    last: bool
    """Whether the training ends after them."""


class TimeBudget:
    """Seconds that a training may take, and the share of the training that is done.

    All seconds since `start` are spent. Progress goes from 0 to 1 with the time, but stands still
    inside `hold` (validation, the first iteration with its compiling), and goes on faster afterwards, so
    that it is 1 when all seconds but `reserve` are spent.

    Args:
        seconds: Length of the training.
        clock: Returns seconds; for tests.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        #: Seconds that are kept for what follows the last iteration.
        self.reserve = 0.0
        self._clock = clock
        self._before = 0.0  # seconds spent by processes before this one
        self._started: float | None = None
        self._anchor = (0.0, 0.0)  # seconds and progress where progress last began to move
        self._held = False
        self._times: deque[float] = deque(maxlen=REMEMBERED)
        self._mark, self._iterations = 0.0, 0

    @property
    def elapsed(self) -> float:
        """Seconds spent, with those before a stop."""
        return self._before + (0.0 if self._started is None else self._clock() - self._started)

    @property
    def progress(self) -> float:
        """Share of the training done, in [0, 1]."""
        seconds, progress = self._anchor
        if self._held or self._started is None:
            return progress
        left = self.seconds - self.reserve - seconds
        share = 1.0 if left <= 0 else (self.elapsed - seconds) / left
        return min(progress + (1 - progress) * share, 1.0)

    @property
    def seconds_left(self) -> float:
        """Seconds that training still has, at least 0."""
        return max(self.seconds - self.reserve - self.elapsed, 0.0)

    @property
    def iteration_seconds(self) -> float | None:
        """Seconds of an iteration, or None before one was timed."""
        return statistics.median(self._times) if self._times else None

    def start(self) -> None:
        """Start the clock."""
        self._started = self._clock()
        self._release(self._anchor[1])

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let time pass without progress."""
        progress = self.progress
        self._anchor, self._held = (self.elapsed, progress), True
        try:
            yield
        finally:
            self._held = False
            self._release(progress)

    def _release(self, progress: float) -> None:
        self._anchor = (self.elapsed, progress)
        self._mark, self._iterations = self.elapsed, 0

    def iteration_done(self) -> None:
        """Count an iteration, for the time that one takes."""
        self._iterations += 1

    def plan(self, together: bool = False) -> Stretch:
        """Plan the next iterations.

        Args:
            together: Whether to plan as many as take `AGREEMENT_SECONDS`, otherwise one.
        """
        elapsed, progress = self.elapsed, self.progress
        if self._iterations:
            self._times.append((elapsed - self._mark) / self._iterations)
            self._mark, self._iterations = elapsed, 0
        each = self.iteration_seconds
        if each is None or each <= 0 or progress >= 1:
            return Stretch(progress, 0.0, 1, progress >= 1)
        left = self.seconds_left / each
        wanted = min(round(AGREEMENT_SECONDS / each), LONGEST_STRETCH) if together else 1
        count = max(wanted, 1)
        last = left < count + 0.5
        if last:
            count = max(round(left), 1)
        return Stretch(progress, (1 - progress) / max(left, 1.0), count, last)

    def iterations_left(self) -> int | None:
        """Estimate the iterations that still fit, or return None before one was timed."""
        each = self.iteration_seconds
        if each is None or each <= 0:
            return None
        return round(self.seconds_left / each)

    def state_dict(self) -> dict[str, float]:
        """Return what a checkpoint needs."""
        return {'elapsed': self.elapsed, 'progress': self.progress, 'reserve': self.reserve}

    def load_state_dict(self, state: dict[str, float], scale: float = 1.0) -> None:
        """Go on from a checkpoint; time between the stop and now does not count.

        Args:
            state: What `state_dict` returned.
            scale: Time planned then by time planned now.
        """
        self._before, self.reserve = float(state['elapsed']), float(state['reserve'])
        self._anchor = (self._before, min(float(state['progress']) * scale, 1.0))


def crosses(before: float, now: float, share: float | None) -> bool:
    """Tell whether progress came past a multiple of a share.

    Args:
        before: Progress in the iteration before.
        now: Progress in this iteration.
        share: Distance of the multiples, or None for none.
    """
    return share is not None and math.floor(now / share) > math.floor(before / share)
