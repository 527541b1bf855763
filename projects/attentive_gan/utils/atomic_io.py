"""Atomic file writes: a file appears complete or not at all, even if the process or machine stops."""

from __future__ import annotations

import os
import platform
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from attentive_gan.errors import UserError, shown

#: This machine's name in the names of temporary files.
_MACHINE = re.sub(r'[^0-9A-Za-z]', '', platform.node())[:40] or 'machine'
#: Names of temporary files of this machine, with the process that wrote them.
_TEMPORARY = re.compile(rf'\..*\.{_MACHINE}-(\d+)-\d+\.tmp(\.[^.]+)?')


@contextmanager
def atomic_write(path: Path, keep_suffix: bool = False) -> Iterator[Path]:
    """Yield a temporary file that replaces `path` on success and is removed after an error.

    The content is flushed to disk before the file is renamed, and the folder after it, so a crash leaves
    the old file or the complete new one.

    Args:
        path: File to write; its folder is created if missing.
        keep_suffix: Whether the temporary file has the suffix of `path`, for programs that choose a format
            by it.

    Raises:
        UserError: The file cannot be written; the old one is unchanged.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_write(Path(folder, 'scores.txt')) as temporary:
        ...         _ = temporary.write_text('26.1 dB')
        ...     Path(folder, 'scores.txt').read_text()
        '26.1 dB'
    """
    # Names may have 255 bytes; the temporary one needs some of them.
    stem = os.fsdecode(os.fsencode(path.name)[:150])
    process = f'{_MACHINE}-{os.getpid()}-{threading.get_ident()}'
    temporary = path.with_name(f'.{stem}.{process}.tmp{path.suffix if keep_suffix else ""}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open('rb+') as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f'{shown(path)} cannot be written ({error.strerror or error}).') from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Flush a rename to disk; not every file system supports this."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically.

    Args:
        path: File to write; its folder is created if missing.
        text: Complete content; surrogate escapes, as in file names that are not UTF-8, keep their bytes.

    Raises:
        UserError: The file cannot be written; the old one is unchanged.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding='utf-8', errors='surrogateescape')


def remove_stale_temporaries(folder: Path) -> int:
    """Remove temporary files that killed processes of this machine left in a folder.

    Args:
        folder: Folder of the written files; other machines may be writing to it.

    Returns:
        Number of removed files.
    """
    removed = 0
    for file in folder.glob('.*.tmp*'):
        found = _TEMPORARY.fullmatch(file.name)
        if found and not psutil.pid_exists(int(found[1])):
            with suppress(OSError):
                file.unlink()
                removed += 1
    return removed
