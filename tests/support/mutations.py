"""Seeded mutations of files, and a limit of time and memory for what reads them."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attentive_gan.errors import UserError

#: Seconds and bytes of address space that an input may take beyond those of the process.
SECONDS, MEMORY = 5.0, 2**30

#: Values at which lengths and counts go wrong.
_EDGES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFF0, 0xFFFFFFFF]
_TOKENS = [
    'NaN', 'Infinity', '-1', '1e400', '9' * 400, 'null', 'true', '[]', '{}', '""', '"../../etc"', '[[1]]',
    '"\\ud800"', '"\\u0000"', '!!python/name:os.system', '&a [*a]', '0x10', '1:30', '<<', '~', '2020-99-99',
]  # fmt: skip


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """Return bytes with one to four changes: flips, edge values, cuts, repeats, insertions."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        # Half of the changes hit the start, where headers are.
        end = len(data) if rng.random() < 0.5 else min(len(data), 256)
        at = rng.randrange(max(end, 1))
        kind = rng.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            size = rng.choice([1, 2, 4, 8])
            value = rng.choice(_EDGES) & (256**size - 1)
            data[at : at + size] = value.to_bytes(size, rng.choice(['little', 'big']))
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            del data[at : at + rng.randint(1, 64)]
        elif kind == 4:
            data[at:at] = data[at : at + rng.randint(1, 64)] * rng.randint(1, 20)
        else:
            data[at:at] = rng.randbytes(rng.randint(1, 16))
    return bytes(data)


def mutated_text(content: bytes, rng: random.Random) -> bytes:
    """Return text with a value or line replaced, repeated, removed or nested; sometimes changed bytes."""
    if rng.random() < 0.3:
        return mutated_bytes(content, rng)
    text = content.decode()
    for _ in range(rng.randint(1, 3)):
        values = list(re.finditer(r'"[^"\n]*"|-?\d[\d.e+-]*|\b(?:null|true|false)\b', text))
        lines = text.splitlines(keepends=True)
        kind = rng.randrange(4)
        if kind <= 1 and values:
            found = rng.choice(values)
            depth = rng.choice([1, 100, 20_000])
            token = rng.choice([*_TOKENS, '[' * depth + ']' * depth, '"' + 'x' * 2_000_000 + '"'])
            text = text[: found.start()] + token + text[found.end() :]
        elif kind == 2 and lines:
            line = rng.randrange(len(lines))
            text = ''.join(lines[:line] + [lines[line]] * rng.choice([0, 2]) + lines[line + 1 :])
        else:
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice('{}[]:,"\n\0-&*!') + text[at:]
    return text.encode('utf-8', 'surrogatepass')


@contextmanager
def limited(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Bound time and memory inside the block: above, a TimeoutError or MemoryError comes out of it."""

    def overdue(*_: object) -> None:
        raise TimeoutError(f'more than {seconds} s')

    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, before[1]))
    handler = signal.signal(signal.SIGALRM, overdue)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def fuzz(
    path: Path,
    read: Callable[[Path], object],
    mutate: Callable[[bytes, random.Random], bytes],
    rounds: int,
    seed: int,
    seconds: float = SECONDS,
) -> int:
    """Read mutations of a file; only UserError may come out, within the limits.

    Args:
        path: A sound file; mutations are written in its place, and it is sound again at the end.
        read: Reads it.
        mutate: Mutation of its content.
        rounds: Number of mutations.
        seed: Of the random numbers; mutation `n` is the same in every run.
        seconds: Limit of one reading.

    Returns:
        How many mutations were refused.
    """
    sound = path.read_bytes()
    read(path)
    refused = 0
    for number in range(rounds):
        content = mutate(sound, random.Random(f'{seed} {number}'))
        path.write_bytes(content)
        started = time.monotonic()
        try:
            with limited(seconds):
                read(path)
        except UserError as error:
            refused += 1
            message = str(error)
            assert '\n' not in message, (number, message)
            assert len(message) < 1500, (number, message[:300])
        except BaseException as error:
            kept = path.with_name(f'failed_{seed}_{number}{path.suffix}')
            kept.write_bytes(content)
            raise AssertionError(f'mutation {number} of seed {seed}, {kept}: {error!r}') from error
        assert time.monotonic() - started < 2 * seconds, number
    path.write_bytes(sound)
    return refused


def fuzz_in_child(
    path: Path,
    read: Callable[[Path], object],
    mutate: Callable[[bytes, random.Random], bytes],
    rounds: int,
    seed: int,
    seconds: float = 60.0,
) -> None:
    """As `fuzz`, in a child process: for readers in C, which no signal handler ends and which may crash.

    Args:
        path: A sound file; the mutation that was read last is beside it, as `child`.
        read: Reads it.
        mutate: Mutation of its content.
        rounds: Number of mutations.
        seed: Of the random numbers.
        seconds: Limit of one reading.
    """
    copy = path.with_name(f'child{path.suffix}')
    copy.write_bytes(path.read_bytes())
    log = path.with_name('child.log')
    pid = os.fork()
    if pid == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            fuzz(copy, read, mutate, rounds, seed, seconds / 2)
            os._exit(0)
        except BaseException:  # noqa: BLE001 -- reported by the parent
            log.write_text(traceback.format_exc(limit=20)[-3000:])
            os._exit(1)
    changed, last = time.monotonic(), 0
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        now = copy.stat().st_mtime_ns
        if now != last:
            changed, last = time.monotonic(), now
        if time.monotonic() - changed > seconds:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise AssertionError(f'{copy} takes more than {seconds} s')
        time.sleep(0.05)
    code = os.waitstatus_to_exitcode(status)
    assert code >= 0, f'{copy} ends the process with {signal.Signals(-code).name}'
    assert code == 0, log.read_text()
