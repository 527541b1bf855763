"""Time budget and progress of a training."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: Number of last iterations whose median time is the estimate for the next one.
WINDOW = 21

#: Interval at which distributed processes synchronise their time, in seconds.
SYNC_SECONDS = 1.0

#: Largest number of iterations between two synchronisations.
LONGEST_STRETCH = 50


@dataclass(frozen=True)
class Stretch:
    """Iterations that are planned together, so that all processes run the same number."""

    progress: float
    """Progress before the first of them, in [0, 1]."""
    step: float
    """Progress per iteration."""
    count: int
    """Number of iterations, at least 1."""
    last: bool
    """Whether the training ends after them."""


class TimeBudget:
    """Time budget of a training in seconds, and its progress in [0, 1].

    Progress follows the time since `start`, but pauses inside `pause` (validation, the first iteration
    with its compilation) and is faster afterwards, so that it reaches 1 when only `reserve` is left.

    Args:
        seconds: Length of the training.
        clock: Function that returns seconds, replaced in tests.

    Examples:
        >>> now = iter([0.0, 0.0, 0.0, 3.0])
        >>> budget = TimeBudget(12.0, clock=lambda: next(now))
        >>> budget.start()
        >>> budget.progress
        0.25
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        #: Seconds reserved for validation after the last iteration.
        self.reserve = 0.0
        self._clock = clock
        self._before = 0.0  # seconds of the interrupted runs before
        self._started: float | None = None
        self._anchor = (0.0, 0.0)  # seconds and progress at the end of the last pause
        self._paused = False
        self._times: deque[float] = deque(maxlen=WINDOW)
        self._mark, self._iterations = 0.0, 0

    @property
    def elapsed(self) -> float:
        """Seconds since the start, including those before an interruption."""
        return self._before + (0.0 if self._started is None else self._clock() - self._started)

    @property
    def progress(self) -> float:
        """Progress of the training, in [0, 1]."""
        seconds, progress = self._anchor
        if self._paused or self._started is None:
            return progress
        left = self.seconds - self.reserve - seconds
        share = 1.0 if left <= 0 else (self.elapsed - seconds) / left
        return min(progress + (1 - progress) * share, 1.0)

    @property
    def seconds_left(self) -> float:
        """Remaining seconds without `reserve`, at least 0."""
        return max(self.seconds - self.reserve - self.elapsed, 0.0)

    @property
    def iteration_seconds(self) -> float | None:
        """Median seconds of an iteration, or None before one was timed."""
        return statistics.median(self._times) if self._times else None

    def start(self) -> None:
        """Start the clock."""
        self._started = self._clock()
        self._continue(self._anchor[1])

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Pause progress in the block."""
        progress = self.progress
        self._anchor, self._paused = (self.elapsed, progress), True
        try:
            yield
        finally:
            self._paused = False
            self._continue(progress)

    def _continue(self, progress: float) -> None:
        self._anchor = (self.elapsed, progress)
        self._mark, self._iterations = self.elapsed, 0

    def iteration_done(self) -> None:
        """Count an iteration for the estimate of its time."""
        self._iterations += 1

    def plan(self, together: bool = False) -> Stretch:
        """Plan the next iterations.

        Args:
            together: Plan the iterations of `SYNC_SECONDS` instead of one.
        """
        elapsed, progress = self.elapsed, self.progress
        if self._iterations:
            self._times.append((elapsed - self._mark) / self._iterations)
            self._mark, self._iterations = elapsed, 0
        each = self.iteration_seconds
        if each is None or each <= 0 or progress >= 1:
            return Stretch(progress, 0.0, 1, progress >= 1)
        left = self.seconds_left / each
        wanted = min(round(SYNC_SECONDS / each), LONGEST_STRETCH) if together else 1
        count = max(wanted, 1)
        last = left < count + 0.5
        if last:
            count = max(round(left), 1)
        return Stretch(progress, (1 - progress) / max(left, 1.0), count, last)

    def iterations_left(self) -> int | None:
        """Return the estimated number of remaining iterations, or None before one was timed."""
        each = self.iteration_seconds
        if each is None or each <= 0:
            return None
        return round(self.seconds_left / each)

    def state_dict(self) -> dict[str, float]:
        """Return the state for a checkpoint."""
        return {'elapsed': self.elapsed, 'progress': self.progress, 'reserve': self.reserve}

    def load_state_dict(self, state: dict[str, float], scale: float = 1.0) -> None:
        """Resume from a checkpoint; the time since the interruption does not count.

        Args:
            state: What `state_dict` returned.
            scale: Ratio of the planned time then to now.
        """
        self._before, self.reserve = float(state['elapsed']), float(state['reserve'])
        self._anchor = (self._before, min(float(state['progress']) * scale, 1.0))


def crosses(before: float, now: float, share: float | None) -> bool:
    """Return whether progress crossed a multiple of a share.

    Args:
        before: Progress in the iteration before.
        now: Progress in this iteration.
        share: Distance of the multiples, or None.

    Examples:
        >>> crosses(0.24, 0.26, 0.25), crosses(0.26, 0.3, 0.25), crosses(0.0, 1.0, None)
        (True, False, False)
    """
    return share is not None and math.floor(now / share) > math.floor(before / share)
