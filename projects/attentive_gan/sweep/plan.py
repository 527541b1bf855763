"""What is trained one after another under an equal budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from attentive_gan.config.budget import set_iterations, use_data
from attentive_gan.config.reading import apply_options, has_field, load_config
from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text

#: File of a training's folder with the seconds of its iterations.
TIMES_FILE = 'times.json'


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
    data_config = None if data is None else load_config(data)
    trainings: list[Training] = []
    for path in configs:
        read = load_config(path)
        if data_config is not None:
            use_data(read, data_config)
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
    write_text(path, json.dumps(wanted, indent=2) + '\n')


def derived_config(batch: Batch, training: Training, iterations: int) -> Config:
    """Return what is trained: the config with the batch's data, budget and options.

    Args:
        batch: The batch.
        training: One of its trainings.
        iterations: Number of iterations; the options come after the scaling by it.
    """
    options = {k: v for k, v in batch.options.items() if k not in training.ignored}
    config = load_config(str(training.config))
    if batch.data is not None:
        use_data(config, load_config(batch.data))
    set_iterations(config, iterations)
    apply_options(config, options, str(training.config))
    path = str(training.folder / TIMES_FILE)
    config.custom_hooks = [
        *(config.get('custom_hooks') or []),
        dict(type='IterationTimesHook', path=path),
    ]
    return config
