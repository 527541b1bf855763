"""Runs a sweep, one training after another; an interrupted one resumes from its last checkpoint."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attentive_gan.config.reading import load_config
from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text

from .plan import TIMES_FILE, Sweep, Training, derived_config, read_object, read_times

#: Iterations of the short training that measures a config's speed.
PROBE_ITERATIONS = 20
#: Last lines of a failed training's output that are searched for the reason.
_LAST_LINES = 30
#: Fields that tools/train.py sets; the training writes its config with them.
_SET_BY_TRAIN = ('work_dir', 'launcher', 'resume', 'load_from')


def run_sweep(sweep: Sweep, log: Callable[[str], None]) -> list[dict[str, Any]]:
    """Run the trainings that are not done yet.

    Args:
        sweep: The sweep.
        log: Called with every message, one line each.

    Returns:
        A state for each training: `name`, `state` ('done' or 'failed'), `reason`, `iterations`, `minutes`.
    """
    return [
        _run_training(sweep, training, f'[{number}/{len(sweep.trainings)}] {training.name}', log)
        for number, training in enumerate(sweep.trainings, 1)
    ]


def _run_training(
    sweep: Sweep, training: Training, prefix: str, log: Callable[[str], None]
) -> dict[str, Any]:
    """Run one training unless it is done; a failure does not end the sweep."""
    state = _read_state(training)
    try:
        if state.get('state') == 'done':
            _check_unchanged(sweep, training, state['iterations'])
            log(f'{prefix}: done before, {state["minutes"]:.1f} minutes')
            return state
        for option in training.ignored:
            log(f'{prefix}: has no field {option}, which is ignored')
        state = _train(sweep, training, lambda text: log(f'{prefix}: {text}'))
    except UserError as error:
        before = {'minutes': 0.0, **_read_state(training)}
        state = {**before, 'name': training.name, 'state': 'failed', 'reason': str(error)}
    if _read_state(training).get('state') != 'done':  # a finished training stays finished
        _write_state(training, state)
    minutes = f'{state["minutes"]:.1f} minutes'
    log(f'{prefix}: {state["state"]}, {state["reason"] or minutes}')
    return state


def _train(sweep: Sweep, training: Training, log: Callable[[str], None]) -> dict[str, Any]:
    """Train one config, from its last checkpoint if there is one."""
    state = {'name': training.name, 'minutes': 0.0, **_read_state(training), 'reason': ''}
    if 'iterations' not in state:
        state['iterations'] = sweep.budget.iterations or _measure_iterations(sweep, training, log)
        _write_state(training, state)
    iterations = int(state['iterations'])
    path = training.folder / 'config.py'
    resume = ['--resume'] if list(training.folder.glob('iter_*.pth')) else []
    if resume:
        _check_unchanged(sweep, training, iterations)
    derived_config(sweep, training, iterations).dump(path)
    log(f'{"going on with" if resume else "training"} {iterations} iterations')
    started = time.perf_counter()
    arguments = [str(path), '--work-dir', str(training.folder), *resume]
    try:
        reason = _run(sweep, arguments, training.folder)
    finally:  # also of an interrupted training
        state['minutes'] += (time.perf_counter() - started) / 60
        _write_state(training, state)
    last = training.folder / f'iter_{iterations}.pth'
    if not reason and not last.is_file():
        reason = f'{last} was not written'
    return {**state, 'state': 'failed' if reason else 'done', 'reason': reason}


def _check_unchanged(sweep: Sweep, training: Training, iterations: int) -> None:
    """Raise if the config differs from the one that was trained."""
    trained, now = (
        {name: value for name, value in config.items() if name not in _SET_BY_TRAIN}
        for config in (
            load_config(str(training.folder / 'config.py')),
            derived_config(sweep, training, iterations),
        )
    )
    if trained != now:
        raise UserError(
            f'{training.config} has changed since {training.folder} was trained; delete this folder '
            'to train it anew, or choose another --work-dir'
        )


def _measure_iterations(sweep: Sweep, training: Training, log: Callable[[str], None]) -> int:
    """Return the iterations that fit the minutes, from the speed of a short training."""
    folder = training.folder / 'miniature'
    config = derived_config(sweep, training, PROBE_ITERATIONS)
    config.default_hooks.logger.interval = 1
    config.default_hooks.iteration_times.path = str(folder / TIMES_FILE)
    folder.mkdir(parents=True, exist_ok=True)
    config.dump(folder / 'config.py')
    arguments = [str(folder / 'config.py'), '--work-dir', str(folder), '--no-validate']
    reason = _run(sweep, arguments, folder)
    if reason:
        raise UserError(f'the short training that measures the speed failed: {reason}')
    seconds = read_times(folder)[PROBE_ITERATIONS // 4 :]
    mean = sum(seconds) / len(seconds)
    shutil.rmtree(folder)
    iterations = max(int((sweep.budget.minutes or 0) * 60 / mean), 1)
    log(f'{mean:.3f} seconds per iteration, so {iterations} iterations')
    return iterations


def _run(sweep: Sweep, arguments: list[str], folder: Path) -> str:
    """Run `attentive-gan train`; return the reason of a failure, or an empty string."""
    words = ['-m', 'attentive_gan', 'train', *arguments]
    if sweep.processes > 1:
        launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node']
        words = [*launcher, str(sweep.processes), *words, '--launcher', 'pytorch']
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / 'console.log'
    with log.open('ab') as stream:
        ended = subprocess.run([sys.executable, *words], stdout=stream, stderr=stream, check=False)  # noqa: S603
    if ended.returncode == 0:
        return ''
    lines = log.read_text('utf-8', 'replace').splitlines()[-_LAST_LINES:]
    errors = [line for line in lines if line.startswith('error:') or 'Error' in line]
    reason = (errors or lines or ['no output'])[-1].removeprefix('error:').strip()
    return f'exit code {ended.returncode}: {reason} (see {log})'


def _read_state(training: Training) -> dict[str, Any]:
    path = training.folder / 'state.json'
    if not path.is_file():
        return {}
    state = read_object(path, 'the state of a training')
    done = state.get('state') == 'done'
    if type(state.get('minutes', 0.0)) not in (int, float) or (
        type(state.get('iterations', None if done else 1)) is not int
    ):
        raise UserError(
            f'{path} holds no state of a training; delete it to train {training.name} anew'
        )
    return state


def _write_state(training: Training, state: Mapping[str, Any]) -> None:
    write_text(training.folder / 'state.json', json.dumps(state, indent=2) + '\n')
