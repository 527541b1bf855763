"""Trains a batch, one config after another; a stop costs what came after the last checkpoint."""

from __future__ import annotations

import json
import os
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

from .plan import TIMES_FILE, Batch, Training, derived_config

#: Iterations of the training in miniature that measures a config's speed.
MINIATURE = 20
#: Lines of a failed training's output that are looked at for the reason.
_LAST_LINES = 30
#: Fields that tools/train.py sets; the training writes its config with them.
_SET_BY_TRAIN = ('work_dir', 'launcher', 'resume', 'load_from')


def train_batch(batch: Batch, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Train what is not trained yet.

    Args:
        batch: The batch.
        tell: Told what happens, a line at a time.

    Returns:
        A record for each training: `name`, `state` ('done' or 'failed'), `reason`, `iterations`, `minutes`.
    """
    return [
        _train_one(batch, training, f'[{number}/{len(batch.trainings)}] {training.name}', tell)
        for number, training in enumerate(batch.trainings, 1)
    ]


def _train_one(
    batch: Batch, training: Training, head: str, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Train one config, unless it is trained; a failure ends only this one."""
    record = _read_state(training)
    try:
        if record.get('state') == 'done':
            _check_unchanged(batch, training, record['iterations'])
            tell(f'{head}: done before, {record["minutes"]:.1f} minutes')
            return record
        for option in training.ignored:
            tell(f'{head}: has no field {option}, keeps what it has')
        record = _train(batch, training, lambda text: tell(f'{head}: {text}'))
    except UserError as error:
        kept = {'minutes': 0.0, **_read_state(training)}
        record = {**kept, 'name': training.name, 'state': 'failed', 'reason': str(error)}
    if _read_state(training).get('state') != 'done':  # what is trained stays so
        _write_state(training, record)
    minutes = f'{record["minutes"]:.1f} minutes'
    tell(f'{head}: {record["state"]}, {record["reason"] or minutes}')
    return record


def _train(batch: Batch, training: Training, tell: Callable[[str], None]) -> dict[str, Any]:
    """Train one config, from where it was stopped."""
    record = {'name': training.name, 'minutes': 0.0, **_read_state(training), 'reason': ''}
    if 'iterations' not in record:
        record['iterations'] = batch.budget.iterations or _affordable(batch, training, tell)
        _write_state(training, record)
    iterations = int(record['iterations'])
    path = training.folder / 'config.py'
    resume = ['--resume'] if list(training.folder.glob('iter_*.pth')) else []
    if resume:
        _check_unchanged(batch, training, iterations)
    derived_config(batch, training, iterations).dump(path)
    tell(f'{"going on with" if resume else "training"} {iterations} iterations')
    started = time.perf_counter()
    words = [str(path), '--work-dir', str(training.folder), *resume]
    try:
        reason = _run(batch, words, training.folder)
    finally:  # also of a training that is interrupted
        record['minutes'] += (time.perf_counter() - started) / 60
        _write_state(training, record)
    last = training.folder / f'iter_{iterations}.pth'
    if not reason and not last.is_file():
        reason = f'{last} was not written'
    record |= {'state': 'failed' if reason else 'done', 'reason': reason}
    return record


def _check_unchanged(batch: Batch, training: Training, iterations: int) -> None:
    """Refuse to go on with, or to count, a training of a config that reads otherwise now."""
    trained, now = (
        {name: value for name, value in config.items() if name not in _SET_BY_TRAIN}
        for config in (
            load_config(str(training.folder / 'config.py')),
            derived_config(batch, training, iterations),
        )
    )
    if trained != now:
        raise UserError(
            f'{training.config} has changed since {training.folder} was trained; delete this folder '
            'to train it anew, or choose another --work-dir'
        )


def _affordable(batch: Batch, training: Training, tell: Callable[[str], None]) -> int:
    """Measure the speed by a training in miniature; return the iterations that fit the minutes."""
    folder = training.folder / 'miniature'
    config = derived_config(batch, training, MINIATURE)
    config.default_hooks.logger.interval = 1
    config.custom_hooks[-1].path = str(folder / TIMES_FILE)
    folder.mkdir(parents=True, exist_ok=True)
    config.dump(folder / 'config.py')
    words = [str(folder / 'config.py'), '--work-dir', str(folder), '--no-validate']
    reason = _run(batch, words, folder)
    if reason:
        raise UserError(f'the training in miniature failed: {reason}')
    seconds = json.loads((folder / TIMES_FILE).read_text())['seconds'][MINIATURE // 4 :]
    each = sum(seconds) / len(seconds)
    shutil.rmtree(folder)
    iterations = max(int((batch.budget.minutes or 0) * 60 / each), 1)
    tell(f'{each:.3f} seconds per iteration, so {iterations} iterations')
    return iterations


def _run(batch: Batch, words: list[str], folder: Path) -> str:
    """Run tools/train.py; return why it failed, or nothing."""
    tool = Path(sys.argv[0]).resolve().parent / 'train.py'
    command = [sys.executable, str(tool), *words]
    # dist_train.sh takes the Python of the PATH, which shall be this one.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')])
    if batch.processes > 1:
        command = ['bash', str(tool.parent / 'dist_train.sh'), words[0], str(batch.processes)]
        command += words[1:]
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / 'console.log'
    with log.open('ab') as stream:
        environment = {**os.environ, 'PATH': path}
        ended = subprocess.run(command, stdout=stream, stderr=stream, env=environment, check=False)  # noqa: S603
    if ended.returncode == 0:
        return ''
    lines = log.read_text('utf-8', 'replace').splitlines()[-_LAST_LINES:]
    errors = [line for line in lines if line.startswith('error:') or 'Error' in line]
    told = (errors or lines or ['no output'])[-1].removeprefix('error:').strip()
    return f'exit code {ended.returncode}: {told} (see {log})'


def _read_state(training: Training) -> dict[str, Any]:
    path = training.folder / 'state.json'
    return json.loads(path.read_text('utf-8')) if path.is_file() else {}


def _write_state(training: Training, record: Mapping[str, Any]) -> None:
    text = json.dumps(record, indent=2) + '\n'
    write_text(training.folder / 'state.json', text)
