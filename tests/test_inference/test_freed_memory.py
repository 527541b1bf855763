"""Freed memory stays for the next array, and goes back when it is asked for."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
from support.runs import environment

CODE = """
import sys
import torch
from attentive_gan.inference.malloc_tuning import (
    give_freed_memory_back, keep_freed_memory, malloc_defaults
)
from resident_memory import resident
kept = keep_freed_memory() if sys.argv[1] == 'keep' else None
assert kept in (True, None)
before = resident()
def held():
    array = torch.ones(64, 2**20)
    del array
    return resident() - before
print(held())
with malloc_defaults():
    print(held())
print(held())
give_freed_memory_back()
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='the C library of GNU alone does so')
@pytest.mark.parametrize(('choice', 'held'), [('keep', True), ('leave', False)])
def test_freed_memory(choice: str, held: bool) -> None:
    """Measured in MiB in a process of its own; the array takes 256."""
    done = subprocess.run(
        [sys.executable, '-c', CODE, choice],
        capture_output=True, text=True, check=False, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, sparing, again, given_back = map(float, done.stdout.split())
    assert (first > 200) == (again > 200) == held
    assert max(sparing, given_back) < 50
