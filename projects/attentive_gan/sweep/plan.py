"""What a sweep trains: configs under an equal budget."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from attentive_gan.config.budget import set_iterations, use_data
from attentive_gan.config.options import apply_options, has_field
from attentive_gan.config.reading import load_config
from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.strict_json import read_json

#: File of a training's folder with the seconds of its iterations.
TIMES_FILE = 'times.json'
#: File of a sweep's folder with its budget, data and options; the name is that of version 0.1.0.
_PLAN_FILE = 'batch.json'
#: Schedule and data set at the end of a config's name, which all configs of a sweep share.
_SUFFIX = re.compile(r'(_\d+xb\d+-\w+?)?_raindrop$')


@dataclass(frozen=True)
class Budget:
    """Budget of each training: a number of iterations, or minutes."""

    iterations: int | None = None
    minutes: float | None = None


@dataclass
class Training:
    """One training of a sweep."""

    name: str
    """Stem of the config without schedule and data set."""
    config: Path
    """The config as the user gave it."""
    folder: Path
    """Its work directory."""
    ignored: list[str] = field(default_factory=list)
    """Options that it has no field for."""


@dataclass(frozen=True)
class Sweep:
    """Several trainings under an equal budget."""

    trainings: Sequence[Training]
    budget: Budget
    folder: Path
    data: str | None
    options: Mapping[str, Any]
    processes: int = 1


def plan_sweep(
    configs: Sequence[str],
    budget: Budget,
    folder: Path,
    data: str | None = None,
    options: Mapping[str, Any] | None = None,
    processes: int = 1,
) -> Sweep:
    """Check a sweep before anything is trained, and record its plan in the folder.

    Args:
        configs: Config files.
        budget: Budget of each training.
        folder: Work directory of the sweep.
        data: Config whose data all are trained on; None for each config's own.
        options: Changes as after `--cfg-options`; each must fit at least one config.
        processes: Processes (GPUs) of each training.

    Raises:
        UserError: A config cannot be read, two have one name, an option fits none, or the folder holds a
            sweep of another budget, data or options.
    """
    options = dict(options or {})
    data_config = None if data is None else load_config(data)
    trainings: list[Training] = []
    for path in configs:
        config = load_config(path)
        if data_config is not None:
            use_data(config, data_config)
        name = _SUFFIX.sub('', Path(path).stem)
        if any(other.name.lower() == name.lower() for other in trainings):
            raise UserError(f'{path}: there are two configs named {name}; rename one')
        ignored = [option for option in options if not has_field(config, option)]
        trainings.append(Training(name, Path(path), folder / name, ignored))
    for option in options:
        if trainings and all(option in training.ignored for training in trainings):
            raise UserError(f'--cfg-options {option}: none of the configs has this field')
    sweep = Sweep(trainings, budget, folder, data, options, processes)
    _check_folder(sweep)
    return sweep


def read_object(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON file of a sweep.

    Args:
        path: The file.
        what: What it should be, for the message.

    Raises:
        UserError: It is damaged, or no object.
    """
    advice = 'restore it, or choose another --work-dir'
    content = read_json(path, what, advice)
    if not isinstance(content, dict):
        raise UserError(f'{path} is not {what} (no object); {advice}')
    return content


def read_times(folder: Path) -> list[float]:
    """Read the seconds of each iteration of a training.

    Args:
        folder: Folder of the training.

    Raises:
        UserError: There are none, or the file is damaged.
    """
    path = folder / TIMES_FILE
    found = read_object(path, 'a list of times').get('seconds')
    if not isinstance(found, list) or not found or not all(type(x) in (int, float) for x in found):
        raise UserError(f'{path} holds no times of iterations; train {folder.name} anew')
    return found


def _check_folder(sweep: Sweep) -> None:
    """Raise if the folder holds another sweep, whose trainings would not be comparable."""
    plan = {
        'iterations': sweep.budget.iterations,
        'minutes': sweep.budget.minutes,
        'data': sweep.data,
        'options': {name: repr(value) for name, value in sweep.options.items()},
    }
    path = sweep.folder / _PLAN_FILE
    if path.is_file():
        found = read_object(path, 'the plan of a sweep')
        for name, value in plan.items():
            if found.get(name) != value:
                raise UserError(
                    f'{sweep.folder} holds trainings with {name} {found.get(name)!r}, not {value!r}; '
                    'choose another --work-dir, or the same budget, data and options'
                )
    write_text(path, json.dumps(plan, indent=2) + '\n')


def derived_config(sweep: Sweep, training: Training, iterations: int) -> Config:
    """Return the config of a training with the sweep's data, budget and options.

    Args:
        sweep: The sweep.
        training: One of its trainings.
        iterations: Number of iterations; options are applied after the schedule is scaled to it.
    """
    options = {k: v for k, v in sweep.options.items() if k not in training.ignored}
    config = load_config(str(training.config))
    if sweep.data is not None:
        use_data(config, load_config(sweep.data))
    set_iterations(config, iterations)
    apply_options(config, options, str(training.config))
    path = str(training.folder / TIMES_FILE)
    config.default_hooks.iteration_times = dict(type='IterationTimesHook', path=path)
    return config
