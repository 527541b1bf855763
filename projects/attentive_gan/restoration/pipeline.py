"""A pipeline that reads ahead and writes in threads of its own, with bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch

Item = TypeVar('Item')
Read = TypeVar('Read')
Done = TypeVar('Done')

#: Bytes of images that may wait to be restored or written.
WAITING_BYTES = 256 * 2**20

#: Largest number of threads that read, and that write, by the type of the network's device.
_THREADS = {'cpu': 4, 'cuda': 8}


@dataclass
class _Entry(Generic[Item]):
    """An item that is being read or written."""

    item: Item
    size: int
    future: Future[Any]


@dataclass(frozen=True)
class Grouping(Generic[Item, Read, Done]):
    """How several items are computed at once."""

    key: Callable[[Read], Hashable]
    """Items with equal keys may be computed together."""
    most: Callable[[Read], int]
    """Returns the largest group for items like this one."""
    compute: Callable[[Sequence[Item], Sequence[Read]], Sequence[Done]]
    """Computes a group; if it fails, each item is computed alone."""
    ahead: int
    """Number of items that are read ahead for this."""


class Pipeline(Generic[Item, Read, Done]):
    """Reads, computes and writes items; an error ends its own item only.

    Items are read ahead while the bytes in the pipeline are below the limit; a larger item is processed
    alone. Items are computed and returned in their order; with one thread they are also read and written in
    it.

    Args:
        size: Returns the approximate bytes of an item before it is read.
        read: Reads an item.
        compute: Computes the result; called in the caller's thread.
        write: Writes the result.
        limit: Largest number of bytes in the pipeline.
        threads: Number of threads that read, and of threads that write.
        grouping: How several items are computed at once; None: one after another.
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
        # Limits what is queued on a GPU and what an interrupt waits for.
        self._most_writes = 2 * threads + self._ahead
        self._bytes = 0
        self._reads: deque[_Entry[Item]] = deque()
        self._writes: deque[_Entry[Item]] = deque()

    def run(
        self, items: Iterable[Item]
    ) -> Generator[tuple[Item, BaseException | None], None, None]:
        """Yield each item in its order when it is written, or with its error.

        If the generator is closed early, running writes are completed and nothing more is started.
        """
        upcoming = iter(items)
        readers, writers = ThreadPoolExecutor(self._threads), ThreadPoolExecutor(self._threads)
        with readers, writers:
            try:
                self._read_ahead(upcoming, readers)
                while self._reads:
                    entries = self._next_group()
                    self._read_ahead(upcoming, readers)
                    self._compute_group(entries, writers)
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
            self._bytes < self._limit or not (self._reads or self._writes)
        ):
            item = next(upcoming, None)
            if item is None:
                return
            size = self._size(item)
            self._bytes += size
            self._reads.append(_Entry(item, size, readers.submit(self._read, item)))

    def _next_group(self) -> list[_Entry[Item]]:
        """Wait for the next item, and take those after it that are read and can be computed with it."""
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

    def _compute_group(self, entries: Sequence[_Entry[Item]], writers: ThreadPoolExecutor) -> None:
        if self._grouping is not None and len(entries) > 1:
            reads = [entry.future.result() for entry in entries]
            try:
                results = self._grouping.compute([entry.item for entry in entries], reads)
            except Exception:  # noqa: BLE001, S110 -- computing each alone finds the bad one
                pass
            else:
                for entry, done in zip(entries, results, strict=True):
                    self._write_later(entry, done, writers)
                return
        for entry in entries:
            try:
                done = self._compute(entry.item, entry.future.result())
            except Exception as error:  # noqa: BLE001, PERF203 -- returned to the caller
                entry.future = Future()
                entry.future.set_exception(error)
                self._writes.append(entry)
            else:
                self._write_later(entry, done, writers)

    def _write_later(self, entry: _Entry[Item], done: Done, writers: ThreadPoolExecutor) -> None:
        entry.future = writers.submit(self._write, entry.item, done)
        self._writes.append(entry)

    def _must_settle(self) -> bool:
        full = self._bytes >= self._limit or len(self._writes) > self._most_writes
        return full or self._writes[0].future.done()

    def _settle(self) -> tuple[Item, BaseException | None]:
        entry = self._writes.popleft()
        error = entry.future.exception()
        self._bytes -= entry.size
        return entry.item, error


def file_threads(device: torch.device) -> int:
    """Return the number of threads that read, and that write, for a network on a device.

    Beside a GPU half the cores read and half write; a network on a CPU needs most of the cores itself.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    )
    share = cores // 2 if device.type == 'cuda' else cores // 4
    return min(max(share, 1), _THREADS.get(device.type, 1))
