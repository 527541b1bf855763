"""Errors of data loaders and of other processes in one line with what to do."""

from __future__ import annotations

import re
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attentive_gan.errors import UserError

_RESTART = 'then --resume from the last checkpoint'
_ENLARGE = (
    'enlarge it (docker run --shm-size=8g), lower the batch size, or set '
    'train_dataloader.num_workers=0'
)
#: Where Linux keeps shared memory.
_SHARED_MEMORY = '/dev/shm'  # noqa: S108
#: Shared memory below which a worker cannot pass even small batches.
_SHARED_BYTES_PER_WORKER = 2_000_000
#: What torch reports, what happened, and what to do.
_KINDS = (
    (
        r'DataLoader timed out after (?P<found>\d+) seconds',
        'a worker of the data loader made no batch within {found} seconds',
        'messages of workers come before this one (too little shared memory in /dev/shm is one reason); '
        'check the disk, set train_dataloader.timeout (seconds), or find the sample with '
        f'train_dataloader.num_workers=0, {_RESTART}',
    ),
    (
        r'unable to (?:write to file|mmap|open shared memory|allocate shared memory|resize)|'
        r'No space left on device.*torch_|Bus error|insufficient shared memory',
        'workers of the data loader have too little shared memory (/dev/shm)',
        f'{_ENLARGE}, {_RESTART}',
    ),
    (
        r'DataLoader worker \(pid\(?s?\)? (?P<found>[\d, ]+|unknown)\).*(?:exited|killed)',
        'a worker of the data loader (process {found}) was ended from outside',
        'look for a lack of memory (dmesg; fewer train_dataloader.num_workers need less) or a crash in a '
        f'library, {_RESTART}',
    ),
    (
        r'Timed out waiting (?P<found>\d+)ms|(?:Application|Socket) [Tt]imeout|watchdog|monitoredBarrier',
        'another process of this training did not answer in time (env_cfg.dist_cfg.timeout, in seconds)',
        'it hangs or is stopped; look for its process (ps, py-spy dump), end it, or raise the time if it '
        f'was at work, {_RESTART}',
    ),
    (
        r'Connection closed by peer|Connection reset by peer|Broken pipe',
        'another process of this training ended',
        f'its own message comes before this one; {_RESTART}',
    ),
)  # fmt: skip


def check_shared_memory(workers: int) -> None:
    """Raise if workers could not pass batches; torch reports that once and then waits for them.

    Args:
        workers: Worker processes of a data loader.

    Raises:
        UserError: /dev/shm is too small.
    """
    try:
        free = shutil.disk_usage(_SHARED_MEMORY).free
    except OSError:  # a system without it
        return
    if free < workers * _SHARED_BYTES_PER_WORKER:
        raise UserError(
            f'{_SHARED_MEMORY} has {free / 1e6:.1f} MB free, too little for {workers} workers of a '
            f'data loader: {_ENLARGE}'
        )


@contextmanager
def worker_errors(samples: Callable[[], list[str]]) -> Iterator[None]:
    """Turn errors of torch about lost or hanging processes into one line.

    Args:
        samples: Returns the names of the samples that were waited for, if any are known.

    Raises:
        UserError: The block failed for such a reason.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        message = cause_in_words(error, samples)
        if message is None:
            raise
        raise UserError(message) from error


def cause_in_words(error: BaseException, samples: Callable[[], list[str]]) -> str | None:
    """Return the line for an error or for one in whose handling it came up, or None for other kinds.

    torch raises the loss of a worker at whatever line runs at that moment. That may be in a block of a
    library that turns every error into one of its own, such as 'Failed to format the config file'.
    """
    found: BaseException | None = error
    while found is not None:
        if _is_lost_connection(found):
            message = in_words('DataLoader worker (pid unknown) exited', samples)
        else:
            message = in_words(str(found), samples) if isinstance(found, RuntimeError) else None
        if message is not None:
            return message
        found = found.__cause__ or found.__context__
    return None


def _is_lost_connection(error: BaseException) -> bool:
    """Return whether a worker was gone when a batch of it was about to be taken over.

    Tensors of a batch are fetched from the worker by a socket; its loss may show there first.
    """
    if not isinstance(error, (ConnectionError, EOFError, FileNotFoundError)):
        return False
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    in_loader = any(file.parts[-3:] == ('utils', 'data', 'dataloader.py') for file in files)
    return in_loader and files[-1].parent.name == 'multiprocessing'


def in_words(text: str, samples: Callable[[], list[str]]) -> str | None:
    """Return the line for an error's text, or None for another kind of error."""
    for pattern, what, advice in _KINDS:
        found = re.search(pattern, text, re.DOTALL)
        if found:
            names = samples() if 'data loader' in what else []
            where = f', at or after {", ".join(names)}' if names else ''
            return f'{what.format(**found.groupdict())}{where}: {advice}'
    return None
