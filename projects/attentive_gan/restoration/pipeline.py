"""Reading the next items and writing the last ones while one is in work, with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar('Item')
Read = TypeVar('Read')
Done = TypeVar('Done')

#: Bytes of pictures that may wait to be restored or written.
WAITING_BYTES = 256 * 2**20
#: Items that are read ahead at most.
AHEAD = 2


@dataclass
class _Entry(Generic[Item]):
    """An item on its way."""

    item: Item
    size: int
    future: Future


class Pipeline(Generic[Item, Read, Done]):
    """Takes items through reading, computing and writing; an error ends its own item only.

    Reading and writing have a thread each. Items are read ahead while those on their way are below the
    limit; a larger one goes alone.

    Args:
        size: Returns the bytes of an item before it is read, about.
        read: Reads an item.
        compute: Works on what was read; called in the caller's thread.
        write: Writes the result.
        limit: Bytes that may be on their way.
    """

    def __init__(
        self,
        size: Callable[[Item], int],
        read: Callable[[Item], Read],
        compute: Callable[[Item, Read], Done],
        write: Callable[[Item, Done], None],
        limit: int = WAITING_BYTES,
    ) -> None:
        self._size, self._read, self._compute, self._write = size, read, compute, write
        self._limit = limit
        self._on_their_way = 0
        self._reads: deque[_Entry[Item]] = deque()
        self._writes: deque[_Entry[Item]] = deque()

    def run(
        self, items: Iterable[Item]
    ) -> Generator[tuple[Item, BaseException | None], None, None]:
        """Yield each item when it is written, or with its error.

        When the loop is left early, what is being written is finished and nothing more is begun.
        """
        upcoming = iter(items)
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
            try:
                self._read_ahead(upcoming, reader)
                while self._reads:
                    entry = self._reads.popleft()
                    self._read_ahead(upcoming, reader)
                    error = self._work(entry, writer)
                    if error is not None:
                        self._on_their_way -= entry.size
                        yield entry.item, error
                    del entry
                    while self._writes and self._must_settle():
                        yield self._settle()
                    self._read_ahead(upcoming, reader)
                while self._writes:
                    yield self._settle()
            finally:
                reader.shutdown(wait=False, cancel_futures=True)

    def _read_ahead(self, upcoming: Iterator[Item], reader: ThreadPoolExecutor) -> None:
        while len(self._reads) < AHEAD and (
            self._on_their_way < self._limit or not (self._reads or self._writes)
        ):
            item = next(upcoming, None)
            if item is None:
                return
            size = self._size(item)
            self._on_their_way += size
            self._reads.append(_Entry(item, size, reader.submit(self._read, item)))

    def _work(self, entry: _Entry[Item], writer: ThreadPoolExecutor) -> BaseException | None:
        try:
            done = self._compute(entry.item, entry.future.result())
        except Exception as error:  # noqa: BLE001 -- told to the caller
            return error
        future = writer.submit(self._write, entry.item, done)
        self._writes.append(_Entry(entry.item, entry.size, future))
        return None

    def _must_settle(self) -> bool:
        return self._writes[0].future.done() or self._on_their_way >= self._limit

    def _settle(self) -> tuple[Item, BaseException | None]:
        entry = self._writes.popleft()
        error = entry.future.exception()
        self._on_their_way -= entry.size
        return entry.item, error
