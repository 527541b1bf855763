"""The programs that a trial runs: tests, benchmark and training, each with a limit of time."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError

from .plan import TrialPlan, environment

#: Seconds that a program gets to end by itself after its limit.
_GRACE = 5

#: Lines of a failed program's log that the results hold.
_LINES = 60


def run_tests(plan: TrialPlan, found: dict[str, Any]) -> None:
    """Run the tests that need a card; on a CPU they skip.

    Args:
        plan: The trial.
        found: Gets counts and the names of failed tests.

    Raises:
        UserError: A test failed, or time ran out; results up to there are noted.
    """
    log = plan.work / 'tests.log'
    command = [
        '-m',
        'pytest',
        'tests/test_gpu',
        '-m',
        'gpu',
        '-q',
        '-rfE',
        '-p',
        'no:cacheprovider',
    ]
    if plan.device == 'cuda' and find_spec('xdist') is not None:
        command += ['-n', '4']  # most of their time is the reference on the CPU
    try:
        _run(plan, command, log, plan.limit('tests'), found)
    finally:
        text = log.read_text('utf-8', 'replace')
        found['summary'] = _last_line(text)
        found['failed'] = re.findall(r'^(?:FAILED|ERROR) (\S+)', text, re.MULTILINE)


def run_benchmark(plan: TrialPlan, found: dict[str, Any]) -> None:
    """Measure ceilings, inference and training steps.

    Args:
        plan: The trial.
        found: Gets the figures under `figures`.

    Raises:
        UserError: It failed, or time ran out; figures up to there are noted.
    """
    log, figures = plan.work / 'benchmark.log', plan.work / 'benchmark.json'
    figures.unlink(missing_ok=True)
    limit = plan.limit('benchmark')
    share = plan.share('benchmark')
    seconds = f'{max(share - 12, 0.6 * share):.0f}'
    command = ['tools/benchmark.py', '--card', '--device', plan.device, '--seconds', seconds]
    try:
        _run(plan, [*command, '--json', str(figures)], log, limit, found)
    finally:
        if figures.is_file():
            found['figures'] = json.loads(figures.read_text())


def run_training(plan: TrialPlan, seconds: float, limit: float, found: dict[str, Any]) -> None:
    """Train for a time.

    Args:
        plan: The trial.
        seconds: Time of the training proper.
        limit: Time until it is stopped.
        found: Gets the command.

    Raises:
        UserError: It failed; its checkpoints up to there stay.
    """
    command = ['tools/train.py', plan.config, '--work-dir', str(plan.work / 'training')]
    # Scores are a phase of their own: validation here would take of the training's time.
    command += ['--minutes', f'{seconds / 60:.4f}', '--no-validate']
    if plan.device == 'cuda':
        command += ['--amp', 'bfloat16']
    if plan.all_options:
        command += ['--cfg-options', *plan.all_options]
    found['command'] = ' '.join(command)
    log = plan.work / 'training.log'
    _run(plan, command, log, limit, found)


def run_program(plan: TrialPlan, arguments: Sequence[str], log: Path, limit: float) -> int:
    """Run a Python program in the checkout; its output goes to a file.

    Args:
        plan: The trial.
        arguments: Those of Python.
        log: File for what it prints.
        limit: Seconds after which it is interrupted, and then killed with all that it started.

    Returns:
        Its exit code.

    Raises:
        UserError: The limit was reached.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('wb') as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=plan.root, env=environment(plan),
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired as error:
            raise UserError(f'stopped after {limit:.0f} seconds, its limit ({log})') from error
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program, if it still runs, and all that it started."""
    with suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _run(
    plan: TrialPlan, command: Sequence[str], log: Path, limit: float, found: dict[str, Any]
) -> None:
    """Run a program; unless it ends well, note the end of its log and raise an error."""
    try:
        code = run_program(plan, command, log, limit)
        if code != 0:
            last = _last_line(log.read_text('utf-8', 'replace'))
            raise UserError(f'exit code {code}: {last} ({log})')
    except UserError:
        found['log'] = log.read_text('utf-8', 'replace').splitlines()[-_LINES:]
        raise


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else 'it printed nothing'
