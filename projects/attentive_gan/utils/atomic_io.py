"""Files that appear whole or not at all, whatever happens while they are written."""

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


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes the place of `path` at the end, or is removed after an error.

    Its content is on the disk before it gets its name, so a crash leaves the old file or the new one.

    Args:
        path: File to write; its folder is made where it is missing.

    Raises:
        UserError: The file cannot be written.
    """
    # Names may have 255 bytes; the temporary one needs some of them.
    stem = os.fsdecode(os.fsencode(path.name)[:150])
    unfinished = path.with_name(f'.{stem}.{_MACHINE}-{os.getpid()}-{threading.get_ident()}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        with unfinished.open('rb+') as stream:
            os.fsync(stream.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise UserError(f'{shown(path)} cannot be written ({error.strerror or error}).') from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the complete new one.

    Args:
        path: File to write, as UTF-8; its folder is made where it is missing.
        text: All that the file shall hold; file names in it that are not UTF-8 keep their bytes.

    Raises:
        UserError: The file cannot be written; the old one is untouched.
    """
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding='utf-8', errors='surrogateescape')


def remove_stale_temporaries(folder: Path) -> int:
    """Remove temporary files that killed processes of this machine left in a folder; return how many."""
    removed = 0
    for file in folder.glob('.*.tmp'):
        # Another machine may be writing to the same folder.
        machine, _, rest = file.name.rsplit('.', 2)[-2].partition('-')
        process = rest.partition('-')[0]
        mine = machine == _MACHINE and process.isdecimal()
        if mine and not psutil.pid_exists(int(process)):
            with suppress(OSError):
                file.unlink()
                removed += 1
    return removed
