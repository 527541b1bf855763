"""Runs the phases of a trial one after another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from . import programs, weights
from .plan import PHASES, TrialPlan
from .report import Report


def run_trial(plan: TrialPlan, tell: Callable[[str], None]) -> bool:
    """Run a trial; whatever happens, what was found until then is in the folder.

    Files: `results.json`, rewritten after every phase; `generator.safetensors`,
    `generator_averaged.safetensors` and `discriminator.safetensors`, in half precision; `training.json`,
    the curves; `samples.jpg`, a grid of held-out renderings.

    Args:
        plan: What to do.
        tell: Called with lines for the user.

    Returns:
        Whether all phases ended well.
    """
    facts = {'seconds': plan.seconds, 'config': plan.config, 'options': list(plan.options)}
    report = Report(plan.out / 'results.json', tell, facts)
    if 'train' in plan.phases:
        shutil.rmtree(plan.work / 'training', ignore_errors=True)
    work: dict[str, Callable[[dict[str, Any]], None]] = {
        'tests': lambda found: programs.run_tests(plan, found),
        'benchmark': lambda found: programs.run_benchmark(plan, found),
        'train': lambda found: _train(plan, report, found),
        'scores': lambda found: weights.score_trained(plan, found),
    }
    ended_well = [report.phase(name, work[name]) for name in PHASES if name in plan.phases]
    tell(f'[{report.elapsed:5.0f} s] results: {plan.out}')
    return all(ended_well)


def _train(plan: TrialPlan, report: Report, found: dict[str, Any]) -> None:
    """Train for the time that is left, and save what there is even where the training was cut off."""
    left = plan.seconds - report.elapsed
    seconds = plan.training_seconds(left)
    found['planned_seconds'] = round(seconds, 1)
    reserved = plan.limit('scores') if 'scores' in plan.phases else 0.0
    try:
        programs.run_training(plan, seconds, max(left - reserved, seconds + 10), found)
    finally:
        weights.save_trained(plan, found)
