"""Reading the next items and writing the last ones while one is in work, with bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

Item = TypeVar('Item')
Read = TypeVar('Read')
Done = TypeVar('Done')

#: Bytes of images that may wait to be restored or written.
WAITING_BYTES = 256 * 2**20

#: Most threads that read, and that write, beside a network on a CPU and on a GPU.
_THREADS = {'cpu': 4, 'cuda': 8}


@dataclass
class _Entry(Generic[Item]):
    """An item on its way."""

    item: Item
    size: int
    future: Future


@dataclass(frozen=True)
class Grouping(Generic[Item, Read, Done]):
    """How items that are read already are worked on at once."""

    key: Callable[[Read], Hashable]
    """Items of equal keys may go together."""
    most: Callable[[Read], int]
    """Returns how many of the kind of this one go together at most."""
    compute: Callable[[Sequence[Item], Sequence[Read]], Sequence[Done]]
    """Works on them; if it fails, each is worked on alone."""
    ahead: int
    """Items that are read ahead for this."""


class Pipeline(Generic[Item, Read, Done]):
    """Takes items through reading, computing and writing; an error ends its own item only.

    Items are read ahead while those on their way are below the limit; a larger one goes alone. They are
    worked on and returned in their order; with one thread they are also read and written in it.

    Args:
        size: Returns the bytes of an item before it is read, about.
        read: Reads an item.
        compute: Works on what was read; called in the caller's thread.
        write: Writes the result.
        limit: Bytes that may be on their way.
        threads: Threads that read, and threads that write.
        grouping: How several items are worked on at once; None: one after another.
    """

    def __init__(
        self,
        size: Callable[[Item], int],
        read: Callable[[Item], Read],
        compute: Callable[[Item, Read], Done],
        write: Callable[[Item, Done], None],
        limit: int = WAITING_BYTES,
        threads: int = 1,
        grouping: Grouping[Item, Read, Done] | None = None,
    ) -> None:
        self._size, self._read, self._compute, self._write = size, read, compute, write
        self._limit, self._threads, self._grouping = limit, threads, grouping
        self._ahead = max(threads + 1, grouping.ahead if grouping else 0)
        # A GPU is not given more than this in advance, and an interrupt waits for no more.
        self._most_writes = 2 * threads + self._ahead
        self._on_their_way = 0
        self._reads: deque[_Entry[Item]] = deque()
        self._writes: deque[_Entry[Item]] = deque()

    def run(
        self, items: Iterable[Item]
    ) -> Generator[tuple[Item, BaseException | None], None, None]:
        """Yield each item in its order when it is written, or with its error.

        When the loop is left early, what is being written is finished and nothing more is begun.
        """
        upcoming = iter(items)
        readers, writers = ThreadPoolExecutor(self._threads), ThreadPoolExecutor(self._threads)
        with readers, writers:
            try:
                self._read_ahead(upcoming, readers)
                while self._reads:
                    entries = self._taken()
                    self._read_ahead(upcoming, readers)
                    self._work(entries, writers)
                    del entries
                    while self._writes and self._must_settle():
                        yield self._settle()
                    self._read_ahead(upcoming, readers)
                while self._writes:
                    yield self._settle()
            finally:
                readers.shutdown(wait=False, cancel_futures=True)

    def _read_ahead(self, upcoming: Iterator[Item], readers: ThreadPoolExecutor) -> None:
        while len(self._reads) < self._ahead and (
            self._on_their_way < self._limit or not (self._reads or self._writes)
        ):
            item = next(upcoming, None)
            if item is None:
                return
            size = self._size(item)
            self._on_their_way += size
            self._reads.append(_Entry(item, size, readers.submit(self._read, item)))

    def _taken(self) -> list[_Entry[Item]]:
        """Wait for the next item, and take those after it that are read and go together with it."""
        entries = [self._reads.popleft()]
        grouping, first = self._grouping, entries[0].future
        if grouping is None or first.exception() is not None:
            return entries
        key, most = grouping.key(first.result()), grouping.most(first.result())
        while len(entries) < most and self._reads:
            future = self._reads[0].future
            if not future.done() or future.exception() or grouping.key(future.result()) != key:
                break
            entries.append(self._reads.popleft())
        return entries

    def _work(self, entries: Sequence[_Entry[Item]], writers: ThreadPoolExecutor) -> None:
        if self._grouping is not None and len(entries) > 1:
            reads = [entry.future.result() for entry in entries]
            try:
                results = self._grouping.compute([entry.item for entry in entries], reads)
            except Exception:  # noqa: BLE001, S110 -- whose fault it is shows below
                pass
            else:
                for entry, done in zip(entries, results, strict=True):
                    self._write_later(entry, done, writers)
                return
        for entry in entries:
            self._work_alone(entry, writers)

    def _work_alone(self, entry: _Entry[Item], writers: ThreadPoolExecutor) -> None:
        try:
            done = self._compute(entry.item, entry.future.result())
        except Exception as error:  # noqa: BLE001 -- told to the caller
            failed: Future = Future()
            failed.set_exception(error)
            self._writes.append(_Entry(entry.item, entry.size, failed))
        else:
            self._write_later(entry, done, writers)

    def _write_later(self, entry: _Entry[Item], done: Done, writers: ThreadPoolExecutor) -> None:
        future = writers.submit(self._write, entry.item, done)
        self._writes.append(_Entry(entry.item, entry.size, future))

    def _must_settle(self) -> bool:
        full = self._on_their_way >= self._limit or len(self._writes) > self._most_writes
        return full or self._writes[0].future.done()

    def _settle(self) -> tuple[Item, BaseException | None]:
        entry = self._writes.popleft()
        error = entry.future.exception()
        self._on_their_way -= entry.size
        return entry.item, error


def file_threads(device: torch.device) -> int:
    """Return how many threads read, and how many write, beside a network on a device.

    A network on a GPU leaves the cores to them; one on a CPU needs the cores itself, and most of them.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    )
    share = cores // 2 if device.type == 'cuda' else cores // 4
    return min(max(share, 1), _THREADS.get(device.type, 1))
