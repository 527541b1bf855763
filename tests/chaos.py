"""Disturbs a training at random until it was restarted twenty times; it must end as the undisturbed one.

    python tests/chaos.py --minutes 10                 # one process
    python tests/chaos.py --minutes 10 --processes 2   # two, on gloo

Disturbances: kill -9, SIGTERM, SIGINT, SIGSTOP of one process, full disk, full shared memory, no memory.
All begin at a random time after a start; which and when depends on --seed, where they hit on the machine.
The training has tiny networks and runs in a file system of its own, with its own /dev/shm; that needs
`unshare -rm` (Linux). The exit code is 0 if weights, optimizers, schedules, random states and best score
are equal to the last bit.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import torch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / 'support')]
from support.fork_server import Started  # noqa: E402
from support.runs import write_pairs  # noqa: E402
from support.targets import OwnTarget  # noqa: E402

#: Seconds for a disturbed training to end by itself.
PATIENCE = 90
#: Seconds that the disturbed training sleeps in each iteration, for it to last.
SLOW = 0.08
#: Intervals of the training, and how long its parts wait for each other.
OPTIONS = [
    'default_hooks.logger.interval=50', 'default_hooks.checkpoint.interval=100',
    'default_hooks.checkpoint.max_keep_ckpts=2',
]  # fmt: skip
WANTED = dict(workers=2, timeout=20, dist_timeout=20, val_interval=1500, options=OPTIONS)
SIGNALS = {'kill -9': signal.SIGKILL, 'SIGTERM': signal.SIGTERM, 'SIGINT': signal.SIGINT}


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--minutes', type=float, default=10)
    parser.add_argument('--restarts', type=int, default=20)
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--inside', help=argparse.SUPPRESS)
    return parser.parse_args()


class Filler:
    """A file that takes what is free in a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / 'filler'

    def fill(self) -> None:
        """Take all space."""
        with self._path.open('wb', buffering=0) as file:
            for size in (2**20, 4096, 1):
                try:
                    while True:
                        file.write(b'x' * size)
                except OSError:
                    continue

    def clear(self) -> None:
        """Give the space back."""
        self._path.unlink(missing_ok=True)


class Chaos:
    """A training and what is done to it."""

    def __init__(self, root: Path, processes: int, seed: int) -> None:
        self.target, self.root, self.rng = OwnTarget(), root, random.Random(seed)
        self.ranks = processes if processes > 1 else 0
        self.data = write_pairs(root / 'data', 5)
        self.disk, self.shm = Filler(root / 'work'), Filler(Path('/dev/shm'))
        self.kinds = [
            *SIGNALS,
            'disk',
            'shared memory',
            'memory',
            *(['SIGSTOP'] if self.ranks else []),
        ]

    def start(self, work_dir: Path, iterations: int, **faults: object) -> list[Started]:
        """Start or go on with a training."""
        wanted = dict(ranks=self.ranks, resume='auto', max_iters=iterations, **WANTED, **faults)
        return self.target.start(self.data, work_dir, **wanted)

    def undisturbed(self, name: str, iterations: int) -> float:
        """Train without disturbances, and return the seconds it took."""
        started = time.monotonic()
        done = [item.wait(7200) for item in self.start(self.root / name, iterations)]
        assert not any(item.returncode for item in done), done[0].stderr[-2000:]
        return time.monotonic() - started

    def disturb(self, kind: str, processes: list[Started]) -> Started:
        """Begin a disturbance of one of the processes, and return it."""
        living = [item for item in processes if not item.has_ended()]
        harmed = self.rng.choice(living or processes)
        chosen = harmed.pid
        if kind in SIGNALS:
            os.kill(chosen, SIGNALS[kind])
        elif kind == 'SIGSTOP':
            os.kill(chosen, signal.SIGSTOP)
        elif kind == 'disk':
            self.disk.fill()
        elif kind == 'shared memory':
            self.shm.fill()
        else:
            used = psutil.Process(chosen).memory_info().vms
            resource.prlimit(chosen, resource.RLIMIT_AS, (used, used))
        return harmed

    def ended(self, processes: list[Started], seconds: float) -> list[int] | None:
        """Return the exit codes of all processes, or None if one did not end by itself."""
        end, codes = time.monotonic() + seconds, []
        for item in processes:
            try:
                codes.append(item.wait(max(end - time.monotonic(), 0.1)).returncode)
            except subprocess.TimeoutExpired:
                codes.append(None)
        return None if None in codes else codes


def harm(chaos: Chaos, iterations: int, pause: float, kind: str) -> str | None:
    """Go on, disturb the training and wait for its end; return what happened, or None at its end."""
    processes = chaos.start(chaos.root / 'work', iterations, SLOW=SLOW)
    end = time.monotonic() + pause
    while time.monotonic() < end:
        time.sleep(0.1)
        if all(item.has_ended() for item in processes):
            codes = chaos.ended(processes, PATIENCE)
            return None if codes and not any(codes) else f'ended undisturbed with {codes}'
    try:
        harmed = chaos.disturb(kind, processes)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return f'{kind}: it had just ended'
    # A lack of disk, shared memory or memory need not be noticed; then kill -9 is the disturbance.
    if kind == 'SIGSTOP':
        codes = wait_for_others(chaos, processes, harmed)
    else:
        codes = chaos.ended(processes, PATIENCE if kind in SIGNALS else 30)
    chaos.disk.clear()
    chaos.shm.clear()
    at = max((int(path.stem[5:]) for path in (chaos.root / 'work').glob('iter_*.pth')), default=0)
    found = f'ended with {codes}' if codes else 'did not end by itself'
    return f'{kind}: {found}; newest checkpoint: iteration {at}'


def wait_for_others(chaos: Chaos, processes: list[Started], stopped: Started) -> list[int] | None:
    """Return the exit codes of those processes that were not stopped, and end the stopped one."""
    codes = chaos.ended([item for item in processes if item is not stopped], PATIENCE)
    if not stopped.has_ended():
        os.kill(stopped.pid, signal.SIGKILL)
    stopped.wait()
    return codes


def state(folder: Path, iteration: int) -> dict:
    """Return all of a checkpoint that a training goes on from, and the best score."""
    content = torch.load(folder / f'iter_{iteration}.pth', weights_only=True)
    parts = ('state_dict', 'optimizer', 'param_schedulers', 'random_states')
    best = content['message_hub']['runtime_info']['best_score']
    return {**{part: content[part] for part in parts}, 'best': best}


def assert_equal(first: object, second: object, where: str = '') -> None:
    """Raise an AssertionError if two nested values differ."""
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key, value in first.items():
            assert_equal(value, second[key], f'{where}.{key}')
    elif isinstance(first, (list, tuple)):
        assert len(first) == len(second), where
        for number, pair in enumerate(zip(first, second, strict=True)):
            assert_equal(*pair, f'{where}.{number}')
    else:
        assert first == second, f'{where}: {first} and {second}'


def run(wanted: argparse.Namespace) -> int:
    """Disturb a training; return 0 if it ends as the undisturbed one."""
    chaos = Chaos(Path(wanted.inside), wanted.processes, wanted.seed)
    iterations = int(
        wanted.minutes * 60 / SLOW * 0.6
    )  # the rest goes into starts and lost iterations
    seconds = chaos.undisturbed('whole', iterations)
    print(f'{iterations} iterations, undisturbed in {seconds:.0f} s', flush=True)
    began, count, results = time.monotonic(), 0, []
    kinds = chaos.kinds * (wanted.restarts // len(chaos.kinds) + 1)
    chaos.rng.shuffle(kinds)
    for kind in kinds[: wanted.restarts]:
        pause = chaos.rng.uniform(0.3, 1.7) * wanted.minutes * 60 / (wanted.restarts + 1)
        result = harm(chaos, iterations, min(pause, 60), kind)
        if result is None:
            break
        count += 1
        results.append(result)
        print(f'{count:3} after {time.monotonic() - began:4.0f} s  {result}', flush=True)
    codes = chaos.ended(chaos.start(chaos.root / 'work', iterations), 7200)
    assert codes is not None
    assert not any(codes), codes
    print(f'{count} disturbances, {time.monotonic() - began:.0f} s', flush=True)
    first, second = (state(chaos.root / name, iterations) for name in ('whole', 'work'))
    assert_equal(first, second)
    print('equal to the undisturbed training')
    told = [result for result in results if result.startswith((*SIGNALS, 'SIGSTOP'))]
    hung = [result for result in told if 'by itself' in result]
    return 1 if hung or any('undisturbed with' in result for result in results) else 0


def main() -> int:
    """Enter a mount namespace and run there."""
    wanted = options()
    if wanted.inside:
        return run(wanted)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, 'work')
        work.mkdir()
        mount = (
            f'mount -t tmpfs -o size=24m none {work} && mount -t tmpfs -o size=32m none /dev/shm'
        )
        if not shutil.which('unshare'):
            sys.exit('this needs unshare (util-linux)')
        command = [
            'unshare',
            '-rm',
            'sh',
            '-c',
            mount + ' && exec "$@"',
            'sh',
            sys.executable,
            __file__,
        ]
        return subprocess.call([*command, *sys.argv[1:], '--inside', folder])


if __name__ == '__main__':
    sys.exit(main())
