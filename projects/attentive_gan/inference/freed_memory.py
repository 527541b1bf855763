"""Lets large arrays take the memory of those before them.

The GNU C library maps every array above 32 MiB anew and gives it back afterwards (M_MMAP_THRESHOLD and its
dynamic maximum, mallopt(3)). Its pages are then filled with zeros one by one, which takes longer than many
layers do; docs/benchmarks.md has figures.
"""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt (glibc, malloc/malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Make the process keep the memory of freed arrays; for programs that restore, at their start.

    Returns:
        Whether the C library can do so; others than that of GNU are left alone.
    """
    library = _library()
    if library is None:
        return False
    # One arena, as others than the first map large arrays in any case.
    wanted = ((_M_MMAP_THRESHOLD, _LARGEST), (_M_TRIM_THRESHOLD, _LARGEST), (_M_ARENA_MAX, 1))
    taken = [library.mallopt(name, value) == 1 for name, value in wanted]
    return all(taken)


def give_freed_memory_back() -> None:
    """Give memory that the process keeps, and does not use, back to the system."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


def _library() -> ctypes.CDLL | None:
    """Return the C library if it is that of GNU."""
    if sys.platform != 'linux':
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, 'gnu_get_libc_version') else None
