"""A work_dir belongs to one running training."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from attentive_gan.errors import UserError, shown
from attentive_gan.utils.atomic_io import remove_stale_temporaries, write_text

from .resume_points import resumable_checkpoints

#: File whose lock a running training holds; the kernel releases it when the process ends.
LOCK_NAME = '.lock'
#: File with the iteration after which the last validation was completed.
VALIDATION_NAME = 'last_validation'


def check_writable(work_dir: str | Path) -> None:
    """Create a folder and write to it.

    Args:
        work_dir: Folder for logs and checkpoints.

    Raises:
        UserError: It cannot be created or written.
    """
    try:
        Path(work_dir).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=work_dir) as file:
            file.write(b'x')
    except OSError as error:
        raise UserError(
            f'work_dir {shown(work_dir)} cannot be written ({error.strerror or error}); make it '
            'writable, free space or give another --work-dir'
        ) from error


@contextmanager
def owned(work_dir: Path, anew: bool) -> Iterator[None]:
    """Hold a work_dir in the block, and remove what killed trainings left half written.

    The lock is one of the process and the kernel (POSIX), so that it never outlives the training.
    On file systems without locks there is none.

    Args:
        work_dir: Folder of the training.
        anew: Whether the training starts from scratch or from weights.

    Raises:
        UserError: Another training runs in it, or it holds the checkpoints of another and `anew` is set.
    """
    with (work_dir / LOCK_NAME).open('a+', encoding='utf-8') as file:
        _lock(file, work_dir)
        existing = resumable_checkpoints(work_dir)
        if anew and existing:
            raise UserError(
                f'work_dir {shown(work_dir)} holds the checkpoints of a training (newest: '
                f'{existing[0].name}); go on with it by --resume (--resume auto starts or goes on), or '
                'start anew in another --work-dir'
            )
        for folder in (work_dir, *(work_dir / 'scores').glob('*')):
            remove_stale_temporaries(folder)
        if anew:
            (work_dir / VALIDATION_NAME).unlink(missing_ok=True)
        yield


def _lock(file: IO[str], work_dir: Path) -> None:
    """Lock a file and write this process into it."""
    try:
        import fcntl
    except ImportError:  # not on POSIX
        return
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.seek(0)
        raise UserError(
            f'another training runs in work_dir {shown(work_dir)} ({file.read(200).strip()}); end it, or '
            'give another --work-dir'
        ) from error
    except OSError:  # the file system has no locks
        return
    file.truncate(0)
    file.write(f'host {platform.node()}, process {os.getpid()}\n')
    file.flush()


def set_newer_aside(work_dir: Path, iteration: int) -> list[Path]:
    """Rename the checkpoints after an iteration, so that a later --resume does not go on from them.

    Args:
        work_dir: Folder of the training.
        iteration: Iteration from which the training goes on.

    Returns:
        The renamed files, `superseded_iter_N.pth`.
    """
    return [
        path.replace(path.with_name(f'superseded_{path.name}'))
        for path in resumable_checkpoints(work_dir)
        if path.stem.startswith('iter_') and int(path.stem.removeprefix('iter_')) > iteration
    ]


def write_last_validation(work_dir: Path, iteration: int) -> None:
    """Store that the validation after an iteration is complete."""
    write_text(work_dir / VALIDATION_NAME, f'{iteration}\n')


def read_last_validation(work_dir: Path) -> int:
    """Return the iteration of the last complete validation, or -1."""
    with suppress(OSError, ValueError):
        return int((work_dir / VALIDATION_NAME).read_text('utf-8'))
    return -1
