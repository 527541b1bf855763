"""Small data sets, and the command-line tools as subprocesses."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from support.fork_server import ForkServer

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TINY_CONFIG = REPOSITORY / 'tests' / 'support' / 'tiny_config.py'


def write_pairs(
    root: Path, count: int = 6, size: tuple[int, int] = (40, 48), seed: int = 0
) -> Path:
    """Write smooth random pairs (height, width) in the published layout, with a bright spot as rain."""
    random = np.random.default_rng(seed)
    for folder in ('data', 'gt'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        noise = random.integers(0, 200, (8, 8, 3)).astype(np.uint8)
        clean = cv2.resize(noise, size[::-1], interpolation=cv2.INTER_LINEAR)
        rainy = clean.copy()
        cv2.circle(
            rainy, (int(random.integers(8, 32)), int(random.integers(8, 32))), 6, (255,) * 3, -1
        )
        cv2.imwrite(str(root / 'data' / f'{number}_rain.png'), rainy)
        cv2.imwrite(str(root / 'gt' / f'{number}_clean.png'), clean)
    return root


def environment(**variables: str) -> dict[str, str]:
    """Return the environment for a tool; one thread, so that results do not depend on the machine."""
    support = str(REPOSITORY / 'tests' / 'support')
    tools = str(REPOSITORY / 'tools')  # the packages of the benchmarks and of the trial
    path = os.pathsep.join(filter(None, [support, tools, os.environ.get('PYTHONPATH')]))
    return {**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1', **variables}


#: What `tools/train.py` and `tools/test.py` import first.
_MODULES = (
    'attentive_gan.compat', 'attentive_gan.apis.train', 'attentive_gan.apis.test',
    'attentive_gan.registration', 'mmagic.visualization', 'matplotlib.pyplot', 'yapf.yapflib.yapf_api',
)  # fmt: skip


@cache
def training_server() -> ForkServer:
    """Return the process from which trainings and tests are forked."""
    return ForkServer(*_MODULES, environment=environment())


def tool(
    name: str, *arguments: object, processes: int = 0, **variables: str
) -> subprocess.CompletedProcess:
    """Run a tool of this repository and return what became of it.

    Single trainings and tests are forked from a process that has imported what they need.

    Args:
        name: File under tools/.
        arguments: Its arguments.
        processes: Number of processes under torch's launcher; 0 runs the tool directly.
        variables: Additional environment variables.
    """
    command = [sys.executable]
    words = [str(item) for item in arguments]
    if not processes and name in ('train.py', 'test.py'):
        program = REPOSITORY / 'tools' / name
        return (
            training_server().start([program, *words], environment(**variables), REPOSITORY).wait()
        )
    if processes:
        command += ['-m', 'torch.distributed.run', '--standalone', f'--nproc-per-node={processes}']
        words += ['--launcher', 'pytorch']
    command += [str(REPOSITORY / 'tools' / name), *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment(**variables),
        cwd=REPOSITORY,
        check=False,
    )


def data_options(train: Path, test: Path | None = None) -> list[str]:
    """Return the config options that select data sets."""
    test = test or train
    return [
        f'train_dataloader.dataset.data_root={train}',
        f'val_dataloader.dataset.data_root={test}',
        f'test_dataloader.dataset.data_root={test}',
    ]
