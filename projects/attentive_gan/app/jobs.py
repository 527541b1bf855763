"""A queue of images: one is restored at a time, and jobs whose page is gone are removed."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from attentive_gan.errors import UserError

from .results import Results

#: Seconds after which a job is removed if its page sent no request. Browsers let pages in the background
#: send one once a minute.
LEASE = 150.0
#: Largest number of waiting images, as their bytes are in memory.
MOST_WAITING = 8
_SWEEP_SECONDS = 2.0

#: Restores (bytes, name) and calls the function with the finished fraction.
Work = Callable[[bytes, str, Callable[[float], None]], Results]
State = Literal['waiting', 'working', 'done', 'failed']


class _CancelledError(Exception):
    """The page is gone; no RuntimeError, which the restorer takes for lack of memory."""


@dataclass
class Job:
    """An image in the queue."""

    name: str
    """File name, for messages."""
    content: bytes
    """Bytes of the file; empty once the work started."""
    asked: float
    """Time of the page's last request, by `time.monotonic`."""
    state: State = 'waiting'
    """State of the work."""
    fraction: float = 0.0
    """Finished fraction of the work, 0 to 1."""
    error: str = ''
    """Error message if it failed."""
    results: Results | None = None
    """Results if it is done."""
    cancelled: bool = False
    """Whether the job was removed or took too long; the work ends at its next progress."""
    started: float = 0.0
    """Time at which the work began, by `time.monotonic`."""


class Jobs:
    """Waiting images, the one in work, and results until they are fetched.

    Args:
        work: Restores one image.
        seconds: Time for the work on an image.
    """

    def __init__(self, work: Work, seconds: float) -> None:
        self._work, self._seconds = work, seconds
        self._jobs: dict[str, Job] = {}  # in the order of arrival
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._worker = ThreadPoolExecutor(1, 'restorer')
        threading.Thread(target=self._sweep_forever, name='sweeper', daemon=True).start()

    def submit(self, content: bytes, name: str) -> str:
        """Add an image to the queue.

        Returns:
            Key of the job, which cannot be guessed.

        Raises:
            UserError: Too many images are waiting.
        """
        with self._lock:
            waiting = sum(job.state == 'waiting' for job in self._jobs.values())
            if waiting >= MOST_WAITING:
                raise UserError(f'{waiting} images are waiting already; try again in a minute.')
            key = secrets.token_urlsafe(24)
            self._jobs[key] = Job(name, content, time.monotonic())
            self._worker.submit(self._run, self._jobs[key])
        return key

    def find(self, key: str) -> tuple[Job, int] | None:
        """Return a job and the number of jobs before it, and renew its lease; None if it was removed."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            job.asked = time.monotonic()
            before = takewhile(lambda other: other is not job, self._jobs.values())
            return job, sum(other.state in ('waiting', 'working') for other in before)

    def forget(self, key: str) -> None:
        """Remove a job with its data; work on it ends at its next progress."""
        with self._lock:
            job = self._jobs.pop(key, None)
            if job is not None:
                job.cancelled, job.content, job.results = True, b'', None

    def close(self) -> None:
        """Remove all jobs, and wait for the work to stop."""
        self._closed.set()
        with self._lock:
            for key in list(self._jobs):
                self.forget(key)
        self._worker.shutdown(cancel_futures=True)

    def _sweep_forever(self) -> None:
        while not self._closed.wait(_SWEEP_SECONDS):
            now = time.monotonic()
            with self._lock:
                for key, job in list(self._jobs.items()):
                    if job.asked < now - LEASE:
                        self.forget(key)
                    elif job.state == 'working' and job.started < now - self._seconds:
                        self._give_up(job)

    def _give_up(self, job: Job) -> None:
        job.cancelled, job.state = True, 'failed'
        job.error = (
            f'{job.name} takes longer than {self._seconds:g} seconds; try a smaller image, or start the '
            'app with a larger --max-seconds.'
        )

    def _run(self, job: Job) -> None:
        def progress(fraction: float) -> None:
            job.fraction = fraction
            if job.cancelled:
                raise _CancelledError

        with self._lock:
            if job.cancelled:
                return
            job.state, job.started = 'working', time.monotonic()
            content, job.content = job.content, b''
        try:
            results = self._work(content, job.name, progress)
        except _CancelledError:
            return
        except UserError as error:
            self._fail(job, str(error))
        except MemoryError:
            self._fail(job, 'Out of memory; try a smaller image.')
        except Exception:
            logging.getLogger(__name__).exception('an image could not be restored')
            self._fail(job, 'Unexpected error; the terminal of the app shows details.')
        else:
            with self._lock:
                if not job.cancelled:
                    job.results, job.state = results, 'done'

    def _fail(self, job: Job, error: str) -> None:
        with self._lock:
            if not job.cancelled:
                job.error, job.state = error, 'failed'
