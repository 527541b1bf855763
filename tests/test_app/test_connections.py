"""Connections of the page: checked by their headers, bounded in time, number and memory."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import psutil
import pytest
from attentive_gan.app import Access, Jobs, Limits, create_app, listen
from attentive_gan.app.serving import start_server

LIMITS = Limits(upload_megabytes=8, connections=6, uploads=2, header_seconds=1, upload_seconds=2)


@pytest.fixture
def page():
    """The server in this process: its port and token; nothing is restored."""
    bound = listen(0)
    port = bound.getsockname()[1]
    access = Access((f'127.0.0.1:{port}',), LIMITS)
    jobs = Jobs(lambda *_: pytest.fail('a request got through'), 60)
    server = start_server(create_app(jobs, access, 'none'), bound, access)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield port, access.token, server
    jobs.close()
    server.close()


def connect(port):
    return socket.create_connection(('127.0.0.1', port), timeout=10)


def head(port, token, length, method='POST', **changes):
    """Return the headers of an upload; names of changes have _ for -."""
    headers = {
        'Host': f'127.0.0.1:{port}', 'Origin': f'http://127.0.0.1:{port}', 'X_App_Token': token,
        'Content_Length': str(length), **changes,
    }  # fmt: skip
    lines = [f'{method} /jobs HTTP/1.1']
    lines += [f'{key.replace("_", "-")}: {value}' for key, value in headers.items() if value]
    return '\r\n'.join([*lines, '', '']).encode()


def answer(stream):
    """Return everything until the server closes."""
    parts = []
    while part := stream.recv(65536):
        parts.append(part)
    return b''.join(parts)


@pytest.mark.parametrize(
    ('changes', 'status'),
    [
        ({'Host': 'evil.example'}, 403),
        ({'Origin': 'http://evil.example'}, 403),
        ({'Origin': ''}, 403),
        ({'X_App_Token': 'guess'}, 403),
        ({'X_App_Token': 'gu\xe9ss'}, 403),
        ({'method': 'PUT', 'X_App_Token': ''}, 403),
        ({'method': 'GET'}, 413),
        ({'Content_Length': '', 'Transfer_Encoding': 'chunked'}, 411),
        ({'Content_Length': '9000000'}, 413),
        ({'Content_Length': '9' * 30}, 413),
        ({'Expect': '100-continue', 'Origin': 'http://evil.example'}, 403),
    ],
)
def test_requests_are_refused_before_their_body_is_sent(page, changes, status):
    """Only the headers are sent, and the answer comes at once."""
    port, token, _ = page
    with connect(port) as stream:
        stream.sendall(head(port, token, 2**22, **changes))
        assert answer(stream).startswith(f'HTTP/1.1 {status} '.encode())


def test_foreign_uploads_hold_no_memory(page):
    port, _, _ = page
    process = psutil.Process()
    before = process.memory_info().rss
    streams = [connect(port) for _ in range(5)]
    for stream in streams:
        stream.sendall(head(port, 'foreign', 2**20))  # short enough to be received and dropped
        stream.sendall(bytes(2**20 - 1))
    time.sleep(0.3)
    grown = process.memory_info().rss - before
    for stream in streams:
        stream.sendall(b'x')
        assert answer(stream).startswith(b'HTTP/1.1 403 ')
        stream.close()
    assert grown < 2**21


def test_uploads_at_a_time_are_bounded(page):
    port, token, _ = page
    streams = [connect(port) for _ in range(3)]
    for stream in streams:
        stream.sendall(head(port, token, 2**20) + bytes(1000))
        time.sleep(0.1)
    assert answer(streams[2]).startswith(b'HTTP/1.1 503 ')
    for stream in streams[:2]:  # the time for a body is over
        assert answer(stream) == b''


def test_slow_headers_end(page):
    port = page[0]
    with connect(port) as stream:
        stream.sendall(b'GET / HTTP/1.1\r\n')
        started = time.monotonic()
        with suppress(OSError):  # closed, one way or the other
            for _ in range(100):
                stream.sendall(b'X')  # not silent, but never done
                time.sleep(0.1)
        assert time.monotonic() - started < 5


def test_many_open_connections_do_not_lock_the_page_out(page):
    port, _, server = page
    streams = [connect(port) for _ in range(40)]
    with connect(port) as stream:
        stream.sendall(
            f'GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n'.encode()
        )
        assert answer(stream).startswith(b'HTTP/1.1 200 ')
    assert len(server.active_channels) <= LIMITS.connections
    for stream in streams:
        stream.close()


def test_a_connection_serves_several_requests(page):
    port = page[0]
    request = f'GET /style.css HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n'.encode()
    with connect(port) as stream:
        for _ in range(3):
            stream.sendall(request)
            time.sleep(0.2)
        stream.sendall(request.replace(b'\r\n\r\n', b'\r\nConnection: close\r\n\r\n'))
        assert answer(stream).count(b'HTTP/1.1 200 ') == 4


def test_work_that_takes_too_long_ends_and_the_next_image_gets_its_turn():
    ended = threading.Event()

    def work(content, _name, progress):
        if content == b'endless':
            try:
                while True:
                    time.sleep(0.01)
                    progress(0.5)
            finally:
                ended.set()
        return 'restored'

    jobs = Jobs(work, 0.5)
    try:
        endless, other = jobs.submit(b'endless', 'a.png'), jobs.submit(b'', 'b.png')
        end = time.monotonic() + 60
        while jobs.find(other)[0].state != 'done':
            assert time.monotonic() < end
            time.sleep(0.05)
        job, _ = jobs.find(endless)
        assert ended.is_set()
        assert job.state == 'failed'
        assert 'a.png takes longer than 0.5 seconds' in job.error
        assert '--max-seconds' in job.error
    finally:
        jobs.close()
