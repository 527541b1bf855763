"""What a trial does and how long each part may take."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from attentive_gan.cli.common import parse_options
from attentive_gan.config.reading import load_config
from attentive_gan.datasets.raindrop_dataset import RaindropDataset
from attentive_gan.engine.optimizers.bfloat16 import CUDA_CAPABILITY
from attentive_gan.errors import UserError
from mmengine.config import Config

from .narrow import narrow_options

#: Phases in their order.
PHASES = ('tests', 'benchmark', 'train', 'scores')

#: Share of the time that a phase may take; the training takes what the others leave.
_SHARES = {'tests': 0.2, 'benchmark': 0.14, 'scores': 0.08}

#: Least time of a whole trial in seconds, and of its training.
LEAST_SECONDS = 40
LEAST_TRAINING = 12

#: Seconds from starting a training to its first iteration, and from its last to its end, about.
TRAINING_OVERHEAD = 30

#: Memory of a card below which a training of the published network at its batch sizes does not fit.
_LEAST_MEMORY = 20e9

#: Least time of tests and benchmark on a CPU, where it is no matter how long a trial takes.
_PATIENCE = 120


@dataclass(frozen=True)
class TrialPlan:
    """A trial.

    Raises:
        UserError: A choice does not fit this machine or another choice; the message says what to do.
    """

    root: Path
    """Checkout with `tools`, `tests` and `configs`."""
    out: Path
    """Folder for the results."""
    seconds: float
    """Time of the whole trial."""
    device: str
    """`cuda` or `cpu`."""
    phases: Sequence[str] = PHASES
    """Phases to run, in the order of `PHASES`."""
    config: str = 'configs/attgan_pool.py'
    """Config to train, below `root`."""
    pairs: Path | None = None
    """Folder of real pairs in the layout of the Raindrop data set, to score on; None for none."""
    options: Sequence[str] = field(default_factory=tuple)
    """Changes of the config, as after `--cfg-options`."""
    work_dir: Path | None = None
    """Folder for what is not a result: logs and checkpoints; None for `work_dirs/gpu_trial` in `root`."""

    def __post_init__(self) -> None:
        unknown = [phase for phase in self.phases if phase not in PHASES]
        if unknown:
            raise UserError(f'there is no phase {unknown[0]!r}; there are {", ".join(PHASES)}')
        if self.seconds < LEAST_SECONDS:
            raise UserError(
                f'--seconds {self.seconds:g} is too short: starting and ending a training alone takes '
                f'about {TRAINING_OVERHEAD} seconds; give at least {LEAST_SECONDS}, best 560'
            )
        if not (self.root / self.config).is_file():
            raise UserError(f'{self.config} is not in {self.root}; run this from a checkout')
        if self.pairs is not None and not self.pairs.is_dir():
            raise UserError(f'--pairs {self.pairs}: there is no such folder')
        _check_device(self.device, 'train' in self.phases)
        self.read_config()
        self.real_pairs()
        _check_writable(self.out)

    @property
    def work(self) -> Path:
        """Folder for what is not a result: logs and checkpoints."""
        return self.work_dir or self.root / 'work_dirs' / 'gpu_trial'

    @property
    def all_options(self) -> list[str]:
        """Changes of the config: on a CPU those that make it narrow, then `options`."""
        narrow = narrow_options(self.read_config()) if self.device == 'cpu' else []
        return [*narrow, *self.options]

    def read_config(self, options: Sequence[str] | None = None) -> Config:
        """Return the config.

        Args:
            options: Changes; None for `options`.
        """
        changes = parse_options(list(self.options if options is None else options))
        return load_config(str(self.root / self.config), changes)

    def real_pairs(self) -> RaindropDataset | None:
        """Return the data set of the real pairs, if there is one."""
        return None if self.pairs is None else RaindropDataset(str(self.pairs))

    def share(self, phase: str) -> float:
        """Return the seconds that are meant for a phase other than the training."""
        return _SHARES[phase] * self.seconds

    def limit(self, phase: str) -> float:
        """Return the seconds after which a phase other than the training is ended."""
        return max(self.share(phase), _PATIENCE if self.device == 'cpu' else 0)

    def training_seconds(self, left: float) -> float:
        """Return the seconds of training proper, from those that are left of the trial."""
        reserved = self.share('scores') if 'scores' in self.phases else 0.0
        overhead = min(TRAINING_OVERHEAD, 0.4 * left)
        return max(left - reserved - overhead, LEAST_TRAINING)

    def training_limit(self, left: float) -> float:
        """Return the seconds after which the training is ended, from those that are left of the trial.

        Better the scores come a little late than a training ends without its last checkpoint.
        """
        late = _PATIENCE if self.device == 'cpu' else 10
        return max(left, self.training_seconds(left) + late)


def _check_device(device: str, trains: bool) -> None:
    if device == 'cpu':
        return
    if not torch.cuda.is_available():
        raise UserError(
            'no CUDA device was found (torch.cuda.is_available() is False); check `nvidia-smi` and that '
            'torch is a CUDA build, or try --device cpu for a dry run'
        )
    card = torch.cuda.get_device_properties(0)
    if trains and card.major < CUDA_CAPABILITY:
        raise UserError(
            f'{card.name} does not compute in bfloat16, in which the trial trains (GPUs since Ampere do); '
            'use tools/train.py with --minutes and --amp float16, or --phases tests benchmark'
        )
    memory = card.total_memory
    if trains and memory < _LEAST_MEMORY:
        raise UserError(
            f'the card has {memory / 1e9:.0f} GB, and training the published network as the trial does '
            f'takes about {_LEAST_MEMORY / 1e9:.0f}; use tools/train.py with a smaller batch_size, or '
            '--phases tests benchmark'
        )


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f'--out {folder} cannot be written: {error.strerror or error}; choose another folder'
        ) from error


def environment(plan: TrialPlan) -> dict[str, str]:
    """Return the environment of the programs that a trial starts."""
    paths = [str(plan.root / 'projects'), os.environ.get('PYTHONPATH', '')]
    changes = {'PYTHONPATH': os.pathsep.join(path for path in paths if path)}
    if plan.device == 'cpu':
        changes['CUDA_VISIBLE_DEVICES'] = ''
    return {**os.environ, **changes}
