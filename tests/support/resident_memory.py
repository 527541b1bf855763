"""Resident memory of this process, and its peak.

`resource.getrusage` will not do: its peak is inherited from the process that started this one.
"""

from __future__ import annotations

from pathlib import Path

_STATUS = Path('/proc/self/status')


def resident() -> float:
    """Return what this process has in memory, in MiB."""
    return _mebibytes('VmRSS')


def peak() -> float:
    """Return the most that this process ever had in memory, in MiB."""
    return _mebibytes('VmHWM')


def _mebibytes(name: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f'{name}:'))
    return int(line.split()[1]) / 1024
