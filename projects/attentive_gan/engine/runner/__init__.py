"""The runner, its training loops and its checkpoints."""

from __future__ import annotations

from .restoration_runner import RestorationRunner
from .timed_loop import TimedTrainLoop
from .train_loop import ResumableTrainLoop

__all__ = ['RestorationRunner', 'ResumableTrainLoop', 'TimedTrainLoop']
