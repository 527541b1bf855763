"""Runs the phases of a trial one after another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from attentive_gan.errors import UserError

from . import programs, weights
from .plan import PHASES, TrialPlan
from .report import Report


def run_trial(plan: TrialPlan, tell: Callable[[str], None]) -> bool:
    """Run a trial; whatever happens, what was found until then is in the folder.

    Files: `results.json`, rewritten after every phase; `generator.safetensors`,
    `generator_averaged.safetensors` and `discriminator.safetensors`, in half precision;
    `training.jsonl`, the curves; `samples.jpg`, a grid of held-out renderings.

    Args:
        plan: What to do.
        tell: Called with lines for the user.

    Returns:
        Whether all phases ended well.
    """
    header = {
        'device': plan.device, 'seconds': plan.seconds, 'config': plan.config,
        'options': plan.all_options,
    }  # fmt: skip
    report = Report(plan.out / 'results.json', tell, header, plan.phases)
    if 'train' in plan.phases:
        shutil.rmtree(plan.work / 'training', ignore_errors=True)
    work: dict[str, Callable[[dict[str, Any]], None]] = {
        'tests': lambda found: programs.run_tests(plan, found),
        'benchmark': lambda found: programs.run_benchmark(plan, found),
        'train': lambda found: _train(plan, report, found),
        'scores': lambda found: _score(plan, report, found),
    }
    ended_well = [report.phase(name, work[name]) for name in PHASES if name in plan.phases]
    tell(f'[{report.elapsed:5.0f} s] results: {plan.out}')
    return all(ended_well)


def _train(plan: TrialPlan, report: Report, found: dict[str, Any]) -> None:
    """Train for the time that is left, and save what there is even where the training was cut off."""
    left = plan.seconds - report.elapsed
    seconds = plan.training_seconds(left)
    found['planned_seconds'] = round(seconds, 1)
    try:
        programs.run_training(plan, seconds, plan.training_limit(left), found)
    except UserError:
        with suppress(UserError):  # why it was cut off tells more
            weights.save_trained(plan, found)
        raise
    weights.save_trained(plan, found)


def _score(plan: TrialPlan, report: Report, found: dict[str, Any]) -> None:
    """Score what was trained, in the time that is left or meant for it."""
    if 'train' in plan.phases and not report.data['phases']['train'].get('weights'):
        raise UserError('the training left no weights to score')
    left = max(plan.seconds - report.elapsed, plan.limit('scores'))
    weights.score_trained(plan, found, left, report.write)
