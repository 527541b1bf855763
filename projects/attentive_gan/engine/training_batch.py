"""Trains configs one after another under an equal budget; a stop costs one entry's last minutes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from attentive_gan.errors import UserError

from .budget import set_iterations, use_data
from .configuration import apply_options, has_field, load_config
from .score_files import write_atomically

#: Iterations of the training in miniature that measures a config's speed.
MINIATURE = 20
#: Lines of a failed training's output that are looked at for the reason.
_LAST_LINES = 30


@dataclass(frozen=True)
class Budget:
    """What each config may spend: a number of iterations, or minutes."""

    iterations: int | None = None
    minutes: float | None = None


@dataclass
class Training:
    """One config of a batch."""

    name: str
    """Stem of the config without `_raindrop`."""
    config: Path
    """The config as the user gave it."""
    folder: Path
    """Its work directory."""
    ignored: list[str] = field(default_factory=list)
    """Options that it has no field for."""


@dataclass(frozen=True)
class Batch:
    """All that decides what is trained."""

    trainings: Sequence[Training]
    budget: Budget
    folder: Path
    data: str | None
    options: Mapping[str, Any]
    processes: int = 1


def plan_batch(
    configs: Sequence[str],
    budget: Budget,
    folder: Path,
    data: str | None = None,
    options: Mapping[str, Any] | None = None,
    processes: int = 1,
) -> Batch:
    """Check a batch before anything is trained, and note what it is.

    Args:
        configs: Config files.
        budget: What each may spend.
        folder: Work directory of the batch.
        data: Config whose data all shall be trained on; None leaves each its own.
        options: Changes as after `--cfg-options`; each must fit at least one config.
        processes: Processes (GPUs) of each training.

    Raises:
        UserError: A config cannot be read, two have one name, an option fits none, or the folder holds a
            batch of another budget, data or options.
    """
    options = dict(options or {})
    trainings: list[Training] = []
    for path in configs:
        read = load_config(path)
        name = Path(path).stem.removesuffix('_raindrop')
        if any(other.name.lower() == name.lower() for other in trainings):
            raise UserError(f'{path}: there are two configs named {name}; rename one')
        ignored = [option for option in options if not has_field(read, option)]
        trainings.append(Training(name, Path(path), folder / name, ignored))
    for option in options:
        if trainings and all(option in training.ignored for training in trainings):
            raise UserError(f'--cfg-options {option}: none of the configs has this field')
    batch = Batch(trainings, budget, folder, data, options, processes)
    _check_folder(batch)
    return batch


def _check_folder(batch: Batch) -> None:
    """Refuse a folder of another batch; its trainings would not be comparable."""
    wanted = {
        'iterations': batch.budget.iterations, 'minutes': batch.budget.minutes, 'data': batch.data,
        'options': {name: repr(value) for name, value in batch.options.items()},
    }  # fmt: skip
    path = batch.folder / 'batch.json'
    if path.is_file():
        found = json.loads(path.read_text('utf-8'))
        for name, value in wanted.items():
            if found.get(name) != value:
                raise UserError(
                    f'{batch.folder} holds a batch with {name} {found.get(name)!r}, not {value!r}; '
                    'choose another --work-dir, or the same budget, data and options'
                )
    write_atomically(path, json.dumps(wanted, indent=2) + '\n')


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
    if record.get('state') == 'done':
        tell(f'{head}: done before, {record["minutes"]:.1f} minutes')
        return record
    for option in training.ignored:
        tell(f'{head}: has no field {option}')
    try:
        record = _train(batch, training, lambda text: tell(f'{head}: {text}'))
    except UserError as error:
        kept = {'minutes': 0.0, **_read_state(training)}
        record = {**kept, 'name': training.name, 'state': 'failed', 'reason': str(error)}
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
    config = _derived(batch, training, iterations)
    path = training.folder / 'config.py'
    config.dump(path)
    resume = ['--resume'] if list(training.folder.glob('iter_*.pth')) else []
    tell(f'{"going on with" if resume else "training"} {iterations} iterations')
    started = time.perf_counter()
    reason = _run(batch, [str(path), '--work-dir', str(training.folder), *resume], training.folder)
    record['minutes'] += (time.perf_counter() - started) / 60
    last = training.folder / f'iter_{iterations}.pth'
    if not reason and not last.is_file():
        reason = f'{last} was not written'
    record |= {'state': 'failed' if reason else 'done', 'reason': reason}
    return record


def _affordable(batch: Batch, training: Training, tell: Callable[[str], None]) -> int:
    """Measure the speed by a training in miniature; return the iterations that fit the minutes."""
    folder = training.folder / 'miniature'
    config = _derived(batch, training, MINIATURE)
    config.default_hooks.logger.interval = 1
    config.custom_hooks = [
        *(config.get('custom_hooks') or []),
        dict(type='IterationTimes', path=str(folder / 'times.json')),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    config.dump(folder / 'config.py')
    words = [str(folder / 'config.py'), '--work-dir', str(folder), '--no-validate']
    reason = _run(batch, words, folder)
    if reason:
        raise UserError(f'the training in miniature failed: {reason}')
    seconds = json.loads((folder / 'times.json').read_text())['seconds'][MINIATURE // 4 :]
    each = sum(seconds) / len(seconds)
    shutil.rmtree(folder)
    iterations = max(int((batch.budget.minutes or 0) * 60 / each), 1)
    tell(f'{each:.3f} seconds per iteration, so {iterations} iterations')
    return iterations


def _derived(batch: Batch, training: Training, iterations: int) -> Config:
    """Return the config with the batch's data, budget and options."""
    options = {k: v for k, v in batch.options.items() if k not in training.ignored}
    config = load_config(str(training.config))
    if batch.data is not None:
        use_data(config, load_config(batch.data))
    set_iterations(config, iterations)
    apply_options(config, options, str(training.config))
    return config


def _run(batch: Batch, words: list[str], folder: Path) -> str:
    """Run tools/train.py; return why it failed, or nothing."""
    tool = Path(sys.argv[0]).resolve().parent / 'train.py'
    command = [sys.executable, str(tool), *words]
    if batch.processes > 1:
        command = ['bash', str(tool.parent / 'dist_train.sh'), words[0], str(batch.processes)]
        command += words[1:]
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / 'console.log'
    with log.open('ab') as stream:
        code = subprocess.run(command, stdout=stream, stderr=stream, check=False).returncode  # noqa: S603
    if code == 0:
        return ''
    lines = log.read_text('utf-8', 'replace').splitlines()[-_LAST_LINES:]
    errors = [line for line in lines if line.startswith('error:') or 'Error' in line]
    told = (errors or lines or ['no output'])[-1].removeprefix('error:').strip()
    return f'exit code {code}: {told} (see {log})'


def _read_state(training: Training) -> dict[str, Any]:
    path = training.folder / 'state.json'
    return json.loads(path.read_text('utf-8')) if path.is_file() else {}


def _write_state(training: Training, record: Mapping[str, Any]) -> None:
    text = json.dumps(record, indent=2) + '\n'
    write_atomically(training.folder / 'state.json', text)
