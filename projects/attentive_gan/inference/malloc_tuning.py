"""Lets large arrays take the memory of those before them.

The GNU C library maps every array above 32 MiB anew and gives it back afterwards (M_MMAP_THRESHOLD and its
dynamic maximum, mallopt(3)). Its pages are then filled with zeros one by one, which takes longer than many
layers do; docs/benchmarks.md has figures.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Parameters of mallopt (glibc, malloc/malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGEST = 2**31 - 1
#: What the library comes to by itself: the largest array that is not mapped.
_USUAL = 32 * 2**20

_chosen: set[str] = set()


def keep_freed_memory() -> bool:
    """Make the process keep the memory of freed arrays; for programs that restore, at their start.

    Returns:
        Whether the C library can do so; others than that of GNU are left alone.
    """
    library = _library()
    if library is None or not _set_largest(library, _LARGEST):
        return False
    # Arenas of other threads map large arrays in any case.
    library.mallopt(_M_ARENA_MAX, 1)
    _chosen.add('keep')
    return True


def give_freed_memory_back() -> None:
    """Give memory that the process keeps, and does not use, back to the system."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@contextmanager
def malloc_defaults() -> Iterator[None]:
    """Let the C library do as it usually does: for work whose memory is planned to the last.

    Kept memory lies in pieces between used ones, and counts as taken.
    """
    library = _library() if 'keep' in _chosen else None
    if library is None:
        yield
        return
    _set_largest(library, _USUAL)
    library.malloc_trim(0)
    try:
        yield
    finally:
        _set_largest(library, _LARGEST)


def _set_largest(library: ctypes.CDLL, size: int) -> bool:
    """Set the largest array that is not mapped; twice as much may lie free at the end of the heap."""
    wanted = ((_M_MMAP_THRESHOLD, size), (_M_TRIM_THRESHOLD, min(2 * size, _LARGEST)))
    taken = [library.mallopt(name, value) == 1 for name, value in wanted]
    return all(taken)


def _library() -> ctypes.CDLL | None:
    """Return the C library if it is that of GNU."""
    if sys.platform != 'linux':
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, 'gnu_get_libc_version') else None
