"""Learning-rate schedules."""

from __future__ import annotations

from .progress_schedule import ProgressLR

__all__ = ['ProgressLR']
