"""Notes what makes the host wait for a device; on a CPU too, where nothing waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

#: Methods of a tensor whose result the host must wait for.
METHODS = ('item', 'tolist', 'cpu', 'numpy', '__bool__', '__float__', '__int__', '__index__')

#: Operators that do so, which code below Python starts too.
OPERATORS = ('aten::_local_scalar_dense', 'aten::nonzero', 'aten::masked_select')


class _Methods(TorchFunctionMode):
    """Notes calls of reading methods."""

    def __init__(self, reads: list[str]) -> None:
        super().__init__()
        self.reads = reads

    def __torch_function__(self, func, types, args=(), kwargs=None):
        known = len(self.reads)
        result = func(*args, **(kwargs or {}))
        name = getattr(func, '__name__', '')
        if name in METHODS:
            self.reads[known:] = [name]  # one read, whatever it consists of
        return result


class _Operators(TorchDispatchMode):
    """Notes reading operators."""

    def __init__(self, reads: list[str]) -> None:
        super().__init__()
        self.reads = reads

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.name() in OPERATORS:
            self.reads.append(func.name())
        return func(*args, **(kwargs or {}))


@contextmanager
def counted_reads() -> Iterator[list[str]]:
    """Collect the names of all reads in the block."""
    reads: list[str] = []
    with _Operators(reads), _Methods(reads):
        yield reads
