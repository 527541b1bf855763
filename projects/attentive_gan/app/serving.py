"""Serves the page on this computer only."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import waitress  # type: ignore[import-untyped]
from flask import Flask

from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer, give_freed_memory_back

from .access import Access
from .connections import connection_class
from .jobs import Jobs
from .limits import Limits
from .results import Results, restore_file
from .server import create_app

#: The only address of the page.
ADDRESS = '127.0.0.1'


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


def start_server(app: Flask, bound: socket.socket, access: Access) -> Any:
    """Return a server of waitress for the page; its `run` answers requests.

    Args:
        app: The page.
        bound: From `listen`.
        access: Rules for requests, which hold before a body is read.
    """
    # The limit of bodies is that of `Access`, which names it.
    options = {'threads': 8, 'ident': None, 'max_request_body_size': 2**62}
    # Buffers that never overflow: waitress would write large requests and answers to files.
    options |= {'inbuf_overflow': 2**40, 'outbuf_overflow': 2**40}
    server = waitress.create_server(app, sockets=[bound], **options)
    server.channel_class = connection_class(access)
    return server


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

    jobs = Jobs(work, limits.image_seconds)
    access = Access((f'{ADDRESS}:{port}', f'localhost:{port}'), limits)
    app = create_app(jobs, access, restorer.name)
    server = start_server(app, bound, access)
    started(f'http://{ADDRESS}:{port}/')
    try:
        server.run()
    finally:
        jobs.close()
        server.close()
