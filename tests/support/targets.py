"""Two programs that train, behind one interface: this project's, and one of MMEngine's runner alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from support.fork_server import ForkServer, Started
from support.runs import REPOSITORY, TINY_CONFIG, data_options, environment, training_server

#: What MMEngine's program imports before it is forked.
PLAIN_MODULES = ('mmengine.runner', 'cv2', 'matplotlib.pyplot', 'yapf.yapflib.yapf_api')


class Target:
    """A program that trains a small network on pairs of images for 6 iterations.

    It saves after iterations 2, 4 and 6, validates after 3 and 6, and keeps the best checkpoint.
    """

    name = ''

    @property
    def server(self) -> ForkServer:
        """The process that programs are forked from."""
        raise NotImplementedError

    def variables(self, **faults: str) -> dict[str, str]:
        """Return the environment of a training."""
        return environment(**faults)

    def words(self, data: Path, work_dir: Path, **wanted: Any) -> list[str]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def start(self, data: Path, work_dir: Path, *, ranks: int = 0, **wanted: Any) -> list[Started]:
        """Start a training, in one process or in several.

        Args:
            data: Folder of the training and test pairs.
            work_dir: Folder of the training.
            ranks: Number of processes of a distributed training; 0 for a plain one.
            wanted: `resume` (True, False or 'auto'), `max_iters`, `val_interval`, `workers`, `timeout` (of
                workers), `keep` (checkpoints), `batch_size`, `lr`, `random` (False: a training that is
                easier to go on with), `dist_timeout`, `load_from`, `config`; in capitals faults
                (`fault_injection`).
        """
        faults = {name: str(wanted.pop(name)) for name in list(wanted) if name.isupper()}
        words = self.words(data, work_dir, ranks=ranks, **wanted)
        if not ranks:
            return [self.server.start(words, self.variables(**faults), REPOSITORY)]
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = str(free.getsockname()[1])
        group = dict(WORLD_SIZE=str(ranks), MASTER_ADDR='127.0.0.1', MASTER_PORT=port)
        return [
            self.server.start(
                words,
                self.variables(**faults, **group, RANK=str(rank), LOCAL_RANK=str(rank)),
                REPOSITORY,
            )
            for rank in range(ranks)
        ]

    def train(
        self, data: Path, work_dir: Path, seconds: float = 120, **wanted: Any
    ) -> subprocess.CompletedProcess[str]:
        """Train to the end; of several processes the outputs are joined, the code is the first but 0.

        Raises:
            subprocess.TimeoutExpired: It took longer than `seconds`.
        """
        done = [started.wait(seconds) for started in self.start(data, work_dir, **wanted)]
        code = next((item.returncode for item in done if item.returncode), 0)
        out, err = (''.join(getattr(item, name) for item in done) for name in ('stdout', 'stderr'))
        return subprocess.CompletedProcess(done[0].args, code, out, err)

    def launch(
        self, data: Path, work_dir: Path, restarts: int, **wanted: Any
    ) -> subprocess.CompletedProcess[str]:
        """Train in two processes under torch's launcher."""
        faults = {name: str(wanted.pop(name)) for name in list(wanted) if name.isupper()}
        launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=2',
                    f'--max-restarts={restarts}']  # fmt: skip
        words = self.words(data, work_dir, ranks=2, **wanted)
        command = [sys.executable, *launcher, *words]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
            env=self.variables(**faults), start_new_session=True,
        ) as process:  # fmt: skip
            try:
                out, err = process.communicate(timeout=200)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def state(self, work_dir: Path, iteration: int = 6) -> dict[str, Any]:
        """Return weights, optimizers and the best score of a training."""
        content = torch.load(work_dir / f'iter_{iteration}.pth', weights_only=False)
        hub = content['message_hub']
        information = hub['runtime_info'] if isinstance(hub, dict) else hub.runtime_info
        return {
            'weights': dict(content['state_dict']),
            'optimizer': content['optimizer'],
            'best': float(information.get('best_score', 0.0)),
        }


class OwnTarget(Target):
    """`tools/train.py` with tiny networks, everything else as in the real configs."""

    name = 'own'

    @property
    def server(self) -> ForkServer:
        """The process that programs are forked from; that of all tests."""
        return training_server()

    def words(self, data: Path, work_dir: Path, **wanted: Any) -> list[str]:
        """Return the program and its arguments."""
        if wanted.get('ranks') and 'batch_size' not in wanted:
            wanted['batch_size'] = 2
        fields = {
            'max_iters': 'train_cfg.max_iters',
            'val_interval': 'train_cfg.val_interval',
            'workers': 'train_dataloader.num_workers',
            'timeout': 'train_dataloader.timeout',
            'keep': 'default_hooks.checkpoint.max_keep_ckpts',
            'batch_size': 'train_dataloader.batch_size',
            'lr': 'optim_wrapper.generator.optimizer.lr',
            'dist_timeout': 'env_cfg.dist_cfg.timeout',
            'dropout': 'model.generator.dropout',
            'load_from': 'load_from',
        }
        options = [f'{fields[name]}={value}' for name, value in wanted.items() if name in fields]
        resume = {True: ['--resume'], 'auto': ['--resume', 'auto']}.get(wanted.get('resume'), [])
        launcher = ['--launcher', 'pytorch'] if wanted.get('ranks') else []
        return [
            str(REPOSITORY / 'tools' / 'train.py'), str(wanted.get('config') or TINY_CONFIG),
            '--work-dir', str(work_dir), *resume, *launcher,
            '--cfg-options', *data_options(data), *options, *wanted.get('options', ()),
        ]  # fmt: skip


class PlainTarget(Target):
    """MMEngine's runner (`plain_mmengine`).

    torch 2.6 and later refuse its checkpoints, so that it could not go on with any training; torch's own
    switch lets it read them.
    """

    name = 'mmengine'

    @cached_property
    def server(self) -> ForkServer:
        """The process that programs are forked from; it has imported nothing of this project."""
        return ForkServer(*PLAIN_MODULES, environment=self.variables())

    def variables(self, **faults: str) -> dict[str, str]:
        """Return the environment of a training."""
        return environment(TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD='1', **faults)

    def words(self, data: Path, work_dir: Path, **wanted: Any) -> list[str]:
        """Return the program and its arguments."""
        wanted['resume'] = bool(wanted.get('resume'))
        wanted.pop('ranks', None)
        request = {**wanted, 'data': str(data), 'work_dir': str(work_dir)}
        program = REPOSITORY / 'tests' / 'support' / 'plain_mmengine.py'
        return [str(program), json.dumps(request, default=os.fspath)]


TARGETS = {target.name: target for target in (OwnTarget(), PlainTarget())}
