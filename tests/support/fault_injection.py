"""Faults of a training, injected when the environment asks for them; for any runner of MMEngine.

Iterations count from 1. Of several processes only the last one is harmed.

| variable | what happens |
| --- | --- |
| KILL_AT=N | kill -9 at the end of iteration N |
| KILL_FIRST_RUN_AT=N | the same, unless torch's launcher has restarted the process |
| KILL_IN_SAVE=N | killed while checkpoint N is complete in memory or in a temporary file |
| KILL_AFTER_BYTES=N:B | killed once B bytes of a file are written in the save after iteration N |
| FULL_DISK_AT=N:B | no file can grow beyond B bytes from the save after iteration N on |
| KILL_IN_VAL=N | killed at the end of the validation after iteration N |
| SIGNALS_AT=N:S[,S] | sends itself signals with these numbers, two seconds apart |
| WAIT_AT=N | sleeps in iteration N |
| STOP_AT=N | SIGSTOP in iteration N |
| POISON_AT=N | the first weight becomes NaN before iteration N |
| POISON_AFTER=N | the first weight becomes NaN after iteration N |
| SLOW=S | sleeps S seconds in each iteration |
| THREADS=T | torch computes with T threads |
| SPY=FILE | appends flushes, renames and deletions to a file, a line each, with the process |
| NO_NETWORK=1 | a connection to another machine ends the training |
| WORKER_FAULT=kill, hang | the worker that loads pair 3 ends or sleeps (`worker_fault`) |
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class FaultInjection(Hook):
    """Does harm as the environment says (see the module)."""

    def before_run(self, runner):
        self._is_last = runner.rank == runner.world_size - 1
        if threads := os.environ.get('THREADS'):
            torch.set_num_threads(int(threads))
        if path := os.environ.get('SPY'):
            _spy(path)
        if os.environ.get('NO_NETWORK'):
            sys.addaudithook(_refuse_network)

    def _due(self, name, iteration):
        return self._is_last and os.environ.get(name) == str(iteration)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if self._due('POISON_AT', batch_idx + 1):
            _poison(runner.model)

    def before_save_checkpoint(self, runner, checkpoint):
        iteration = checkpoint['meta']['iter']
        if os.environ.get('KILL_IN_SAVE') == str(iteration):
            os.fsync = lambda _: _kill()
        for name, action in (
            ('KILL_AFTER_BYTES', signal.SIG_DFL),  # kills
            ('FULL_DISK_AT', signal.SIG_IGN),  # an error of `write`
        ):
            at, _, size = os.environ.get(name, '').partition(':')
            if at == str(iteration):
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
                signal.signal(signal.SIGXFSZ, action)

    def after_val_epoch(self, runner, metrics=None):
        if os.environ.get('KILL_IN_VAL') == str(runner.iter):
            _kill()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        iteration = batch_idx + 1
        time.sleep(float(os.environ.get('SLOW', '0')))
        if self._due('POISON_AFTER', iteration):
            _poison(runner.model)
        if self._due('KILL_AT', iteration):
            _kill()
        if self._due('KILL_FIRST_RUN_AT', iteration) and (
            os.environ.get('TORCHELASTIC_RESTART_COUNT', '0') == '0'
        ):
            _kill()
        if self._due('WAIT_AT', iteration):
            time.sleep(1000)
        if self._due('STOP_AT', iteration):
            os.kill(os.getpid(), signal.SIGSTOP)
        at, _, numbers = os.environ.get('SIGNALS_AT', '').partition(':')
        if at == str(iteration) and self._is_last:
            for index, number in enumerate(numbers.split(',')):
                time.sleep(2 * bool(index))
                os.kill(os.getpid(), int(number))


def _poison(model):
    with torch.no_grad():
        next(model.parameters()).fill_(float('nan'))


def _spy(path):
    """Write what happens to files in this process to a file of its own."""
    log = Path(f'{path}.{os.getpid()}').open('a', encoding='utf-8')  # noqa: SIM115
    fsync = os.fsync

    def note(*words):
        log.write('\t'.join(map(str, words)) + '\n')
        log.flush()

    def flushed(handle):
        fsync(handle)
        number = handle if isinstance(handle, int) else handle.fileno()
        note('fsync', Path(f'/proc/self/fd/{number}').readlink())

    def audit(event, arguments):
        if event in ('os.rename', 'os.remove'):
            names = arguments[: 2 if event == 'os.rename' else 1]
            note(event.removeprefix('os.'), *map(os.fspath, names))
        elif event == 'open' and isinstance(arguments[1], str) and 'w' in arguments[1]:
            note('open', arguments[0])

    os.fsync = flushed
    sys.addaudithook(audit)


def _refuse_network(event, arguments):
    if event in ('socket.connect', 'socket.getaddrinfo'):
        address = arguments[1] if event == 'socket.connect' else arguments[:1]
        if isinstance(address, tuple) and address[0] not in ('127.0.0.1', 'localhost', '::1'):
            raise RuntimeError(f'connection to {address}')


class WorkerHarm:
    """Ends or stops the worker that loads pair 3 when the environment has WORKER_FAULT=kill or =hang.

    The first samples pass: they are loaded ahead while the training is still being set up.
    """

    def __init__(self):
        self.passed = 0

    def __call__(self, path):
        fault = os.environ.get('WORKER_FAULT')
        self.passed += 1
        if fault and self.passed > 6 and str(path).endswith('3_rain.png'):
            if fault == 'kill':
                _kill()
            time.sleep(1000)
