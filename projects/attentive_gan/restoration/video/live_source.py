"""Frames of a camera or network stream as they come; late ones are dropped, so that none lags behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import MAX_PIXELS
from attentive_gan.image_io.headers import too_large
from attentive_gan.restoration.addresses import CAMERA, public_address, refuse_address
from attentive_gan.utils.types import ImageArray

#: Seconds without a frame after which a stream counts as ended.
TIMEOUT = 10.0


@dataclass(frozen=True)
class LiveFrame:
    """A frame of a stream."""

    image: ImageArray
    """RGB (H, W, 3), uint8."""
    seconds: float
    """When it was read, after the first one."""


class LiveSource:
    """Reads a camera or stream in a thread of its own; as a context, it is open within.

    Args:
        address: `camera:N`, or an address that OpenCV opens (rtsp, rtmp, http, https, udp, tcp, srt).
        max_pixels: Largest accepted number of pixels of a frame.
        timeout: Seconds without a frame after which the stream counts as ended.

    Attributes:
        read: Number of frames that were read.
        ended: Why the stream ended; empty while it runs.

    Raises:
        UserError: On entry, if the address cannot be opened, gives no frame, or its frames are too large.
    """

    def __init__(
        self, address: str, max_pixels: int = MAX_PIXELS, timeout: float = TIMEOUT
    ) -> None:
        self.address = address
        self.read = 0
        self.ended = ''
        self._max_pixels, self._timeout = max_pixels, timeout
        self._taken = 0
        self._latest: LiveFrame | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> LiveSource:
        refuse_address(self.address)
        self._capture = open_capture(self.address, self._timeout)
        there, frame = self._capture.read()
        if not there:
            self._capture.release()
            raise UserError(
                f'{shown(public_address(self.address))} opens but gives no frame; {_ADVICE}'
            )
        height, width = frame.shape[:2]
        if height * width > self._max_pixels:
            self._capture.release()
            raise too_large(public_address(self.address), f'{width}x{height}', self._max_pixels)
        self._started = time.monotonic()
        self._shape = frame.shape
        self._put(frame)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        self._thread.join(self._timeout + 1)
        if not self._thread.is_alive():  # else it is still reading, and ends with the process
            self._capture.release()

    @property
    def name(self) -> str:
        """The address without user name and password, for messages and records."""
        return shown(public_address(self.address))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the frames."""
        return int(self._shape[0]), int(self._shape[1])

    @property
    def dropped(self) -> int:
        """Number of frames that came while an earlier one was worked on."""
        return self.read - self._taken

    def stop(self) -> None:
        """End the stream after the frame that is worked on; may be called from a signal handler."""
        self.ended = self.ended or 'stopped'

    def frames(self) -> Iterator[LiveFrame]:
        """Yield the newest frame each time, until the stream ends."""
        while True:
            with self._changed:
                while self._latest is None and not self.ended:
                    self._changed.wait(0.1)  # `stop` wakes nobody: a signal handler may not lock
                frame, self._latest = self._latest, None
            if frame is None or self.ended == 'stopped':
                return
            self._taken += 1
            yield frame

    def _run(self) -> None:
        """Read frames until there are no more."""
        while not self.ended:
            asked = time.monotonic()
            there, frame = self._capture.read()
            if not there:
                waited = time.monotonic() - asked
                self._end(
                    f'no frame came for {waited:.0f} s'
                    if waited > 0.9 * self._timeout
                    else 'the stream ended'
                )
            elif frame.shape != self._shape:
                self._end(f'the size of the frames changed to {frame.shape[1]}x{frame.shape[0]}')
            else:
                self._put(frame)

    def _end(self, reason: str) -> None:
        with self._changed:
            self.ended = self.ended or reason
            self._changed.notify()

    def _put(self, frame: NDArray[Any]) -> None:
        image = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
        with self._changed:
            self.read += 1
            self._latest = LiveFrame(image, time.monotonic() - self._started)
            self._changed.notify()


_ADVICE = (
    'check the address, that the camera is on and that no other program uses it; '
    'ffplay ADDRESS shows whether it can be read at all'
)


def open_capture(address: str, timeout: float) -> cv2.VideoCapture:
    """Open a camera or stream by OpenCV.

    Args:
        address: `camera:N` or an address.
        timeout: Seconds after which opening and reading give up.

    Raises:
        UserError: It cannot be opened.
    """
    camera = CAMERA.fullmatch(address)
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(0)  # the error below says what its messages say
    try:
        if camera:
            capture = cv2.VideoCapture(int(camera[1]))
        else:
            milliseconds = int(1000 * timeout)
            limits = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
            parameters = [value for limit in limits for value in (limit, milliseconds)]
            capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, parameters)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if not capture.isOpened():
        raise UserError(f'{shown(public_address(address))} cannot be opened by OpenCV; {_ADVICE}')
    return capture
