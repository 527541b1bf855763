"""Serves the page on this computer only."""

from __future__ import annotations

import socket
from collections.abc import Callable

import waitress  # type: ignore[import-untyped]

from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer, give_freed_memory_back

from .jobs import Jobs
from .results import Results, restore_file
from .server import Limits, create_app

#: The only address of the page.
ADDRESS = '127.0.0.1'
#: Above the limit of uploads, so that the page's own message comes first.
_SLACK = 2**20


def listen(port: int) -> socket.socket:
    """Return a socket that is bound to a port of this computer; 0 takes any free one.

    Raises:
        UserError: The port is taken or not allowed.
    """
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((ADDRESS, port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise UserError(
            f'port {port} cannot be used ({error.strerror}); choose another one with --port, or '
            '--port 0 for any free one'
        ) from error
    return bound


def serve(
    restorer: ImageRestorer, bound: socket.socket, limits: Limits, started: Callable[[str], None]
) -> None:
    """Serve the page until the keyboard interrupts it.

    Args:
        restorer: The network.
        bound: From `listen`.
        limits: Limits of uploads.
        started: Called with the page's URL once it answers.
    """
    port = bound.getsockname()[1]

    def work(content: bytes, name: str, progress: Callable[[float], None]) -> Results:
        try:
            return restore_file(content, name, restorer, limits.pixels, progress)
        finally:
            give_freed_memory_back()  # the page may be idle for hours

    jobs = Jobs(work)
    app = create_app(jobs, limits, (f'{ADDRESS}:{port}', f'localhost:{port}'), restorer.name)
    options = {'threads': 8, 'ident': None, 'max_request_body_size': limits.upload_bytes + _SLACK}
    # Buffers that never overflow: waitress would write large requests and answers to files.
    options |= {'inbuf_overflow': 2**40, 'outbuf_overflow': 2**40}
    server = waitress.create_server(app, sockets=[bound], **options)
    started(f'http://{ADDRESS}:{port}/')
    try:
        server.run()
    finally:
        jobs.close()
        server.close()
