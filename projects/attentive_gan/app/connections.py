"""Connections of the page's server: checked by their headers, bounded in time and number."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.receiver import FixedStreamReceiver  # type: ignore[import-untyped]
from waitress.utilities import Error  # type: ignore[import-untyped]

from attentive_gan.inference import give_freed_memory_back

from .access import Access

#: Longest body of a refused request that is received and dropped, in bytes; else the connection is closed.
_DISCARDED = 2**20


class RefusedError(Error):
    """Answer to a request whose body is not read."""

    def __init__(self, code: int, body: str) -> None:
        super().__init__(body)
        self.code = code
        self.reason = HTTPStatus(code).phrase

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status, headers and body, as waitress asks for them."""
        del ident
        headers = [('Content-Type', 'application/json'), ('X-Content-Type-Options', 'nosniff')]
        return f'{self.code} {self.reason}', headers, json.dumps({'error': self.body}).encode()


class _Discarded:
    """Takes the place of the buffer of a refused body, and keeps nothing."""

    def append(self, data: bytes) -> None:
        """Drop bytes."""

    def close(self) -> None:
        """Do nothing."""

    def __len__(self) -> int:
        return 0


def connection_class(access: Access) -> type[HTTPChannel]:
    """Return the class of connections for `waitress`, with the rules of the page."""

    class Parser(HTTPRequestParser):
        """Refuses a request as soon as its headers are there."""

        refused: RefusedError | None = None
        error: Any
        completed: Any
        expect_continue: Any

        def received(self, data: bytes) -> int:
            in_header = not self.headers_finished
            consumed = int(super().received(data))
            if in_header and self.headers_finished and not self.empty and self.error is None:
                self._check()
            if self.completed and self.refused:
                self.error = self.refused
            return consumed

        def _check(self) -> None:
            refused = access.refusal(
                self.command, self._header, self.content_length, bool(self.chunked)
            )
            if refused:
                self.refused = RefusedError(*refused)
                short = not self.chunked and 0 < self.content_length <= _DISCARDED
                self.completed = self.expect_continue or not short
                self.expect_continue = False
                # A client that is still sending would not read the answer.
                self.body_rcv = FixedStreamReceiver(self.content_length, _Discarded())

        def _header(self, name: str) -> str:
            return str(self.headers.get(name.upper().replace('-', '_'), ''))

    class Connection(_Connection):
        parser_class = Parser
        rules = access

    return Connection


class _Connection(HTTPChannel):
    """A connection that is closed when it takes too long, or when another one needs its place.

    All methods but `service` run in the thread of the server's loop, which calls `readable` of every
    connection once a second or more often.
    """

    rules: Access
    request: Any

    def __init__(self, server: Any, *args: Any, **options: Any) -> None:
        self.waiting_since = time.monotonic()
        others = [other for other in server.active_channels.values() if other.idle]
        super().__init__(server, *args, **options)
        if len(server.active_channels) > self.rules.limits.connections and others:
            min(others, key=lambda other: other.waiting_since).handle_close()

    @property
    def uploading(self) -> bool:
        """Whether the body of an accepted request is being received."""
        request = self.request
        return request is not None and request.headers_finished and not request.refused

    @property
    def idle(self) -> bool:
        """Whether no complete request is here: none, or a part of its headers."""
        return not (self.requests or self.uploading or self.total_outbufs_len)

    def received(self, data: bytes) -> bool:
        """Take bytes; a further file above the limit is refused at its headers."""
        before = self.uploading
        started = self.request is None
        taken = bool(super().received(data))
        if self.uploading and not before:
            self.waiting_since = time.monotonic()
            uploads = [c for c in self.server.active_channels.values() if c.uploading]
            if len(uploads) > self.rules.limits.uploads:
                self._refuse(
                    RefusedError(503, 'Other images are being sent; try again in a minute.')
                )
        elif started and self.request is not None:
            self.waiting_since = time.monotonic()
        return taken

    def _refuse(self, error: RefusedError) -> None:
        """Answer the request that is being received with an error."""
        with self.requests_lock:
            self.request.error, self.request.completed = error, True
            self.requests.append(self.request)
            self.request = None
            if len(self.requests) == 1:
                self.server.add_task(self)

    def readable(self) -> bool:
        """Return whether to read; ends a connection whose request is overdue."""
        limits = self.rules.limits
        allowed = limits.upload_seconds if self.uploading else limits.header_seconds
        waited = time.monotonic() - self.waiting_since
        if self.request is not None and not self.requests and waited > allowed:
            self.will_close = True
        return bool(super().readable())

    def handle_close(self) -> None:
        """Close, and give the memory of an unfinished upload back."""
        unfinished = self.uploading
        self.request = None
        super().handle_close()
        if unfinished:
            give_freed_memory_back()
