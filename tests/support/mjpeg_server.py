"""A camera on the loopback: JPEG images one after the other over HTTP, as network cameras send them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


@contextmanager
def mjpeg_server(frames: int | None, size: tuple[int, int] = (32, 48)) -> Iterator[str]:
    """Yield the address of a stream, 50 frames a second.

    Args:
        frames: Number of frames; None for no end.
        size: Height and width.
    """

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=frame')
            self.end_headers()
            number = 0
            try:
                while frames is None or number < frames:
                    image = np.full((*size, 3), 40 + 3 * number % 180, np.uint8)
                    data = cv2.imencode('.jpg', image)[1].tobytes()
                    head = f'--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n'
                    self.wfile.write(head.encode() + data + b'\r\n')
                    number += 1
                    time.sleep(0.02)
            except OSError:
                pass  # the reader went away

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Camera)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_port}/stream.mjpg'
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
