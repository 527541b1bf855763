"""A trial of a machine within a given time: tests, benchmark, a training, and its scores."""

from __future__ import annotations

from .plan import PHASES, TrialPlan
from .run import run_trial

__all__ = ['PHASES', 'TrialPlan', 'run_trial']
