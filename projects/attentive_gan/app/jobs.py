"""One image at a time; the others wait, and whatever nobody asks for any more is forgotten."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from attentive_gan.errors import UserError

from .results import Results

#: Seconds after which a job is forgotten whose page asked nothing more. Browsers let pages in the
#: background ask once a minute.
LEASE = 150.0
#: Most images that wait, as their bytes are in memory.
MOST_WAITING = 8
_SWEEP_SECONDS = 2.0

#: Restores (bytes, name) and reports the part that is done.
Work = Callable[[bytes, str, Callable[[float], None]], Results]
State = Literal['waiting', 'working', 'done', 'failed']


class _CancelledError(Exception):
    """The page has gone; no RuntimeError, which the restorer takes for lack of memory."""


@dataclass
class Job:
    """An image on its way."""

    name: str
    """File name, for messages."""
    content: bytes
    """Bytes of the file; empty as soon as it has been worked on."""
    asked: float
    """When the page last asked, on the clock of the jobs."""
    state: State = 'waiting'
    """Where it stands."""
    part: float = 0.0
    """Part of the work that is done, 0 to 1."""
    error: str = ''
    """Why it failed."""
    results: Results | None = None
    """What came out."""
    cancelled: bool = False
    """Whether nobody wants it any more."""


class Jobs:
    """The images that wait, the one that is worked on, and results until they are fetched.

    Args:
        work: Restores one image.
        lease: Seconds for which a job lives after its page last asked.
        clock: Seconds that never go back.
    """

    def __init__(
        self, work: Work, lease: float = LEASE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._work, self._lease, self._clock = work, lease, clock
        self._jobs: dict[str, Job] = {}  # in the order of arrival
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name='restorer', daemon=True)
        self._sweeper = threading.Thread(target=self._sweep_forever, name='sweeper', daemon=True)
        self._thread.start()
        self._sweeper.start()

    def __len__(self) -> int:
        """Return how many jobs are remembered."""
        return len(self._jobs)

    def submit(self, content: bytes, name: str) -> str:
        """Put an image into the queue.

        Returns:
            Key of the job, which cannot be guessed.

        Raises:
            UserError: Too many wait.
        """
        with self._changed:
            waiting = sum(job.state == 'waiting' for job in self._jobs.values())
            if waiting >= MOST_WAITING:
                raise UserError(f'{waiting} images wait already; try again in a minute.')
            key = secrets.token_urlsafe(24)
            self._jobs[key] = Job(name, content, self._clock())
            self._changed.notify_all()
        return key

    def find(self, key: str) -> tuple[Job, int] | None:
        """Return a job and how many are before it, and extend its lease; None if it is forgotten."""
        with self._changed:
            job = self._jobs.get(key)
            if job is None:
                return None
            job.asked = self._clock()
            before = 0
            for other in self._jobs.values():
                if other is job:
                    break
                before += other.state in ('waiting', 'working')
            return job, before

    def forget(self, key: str) -> None:
        """Drop a job with all that belongs to it; work on it ends at its next progress."""
        with self._changed:
            job = self._jobs.pop(key, None)
            if job is not None:
                job.cancelled, job.content, job.results = True, b'', None

    def sweep(self) -> None:
        """Forget what nobody asked for during the lease."""
        oldest = self._clock() - self._lease
        for key, job in list(self._jobs.items()):
            if job.asked < oldest:
                self.forget(key)

    def close(self, patience: float = 10.0) -> None:
        """Forget everything, and wait some seconds for the work to stop."""
        with self._changed:
            self._closed = True
            for key in list(self._jobs):
                self.forget(key)
            self._changed.notify_all()
        self._thread.join(patience)

    def _sweep_forever(self) -> None:
        while not self._closed:
            time.sleep(_SWEEP_SECONDS)
            with self._changed:
                self.sweep()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next() is not None)
                job = self._next()
                if self._closed or job is None:
                    return
                job.state = 'working'
                content, job.content = job.content, b''
            self._do(job, content)
            del job, content  # or the last image would stay until the next one comes

    def _next(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.state == 'waiting'), None)

    def _do(self, job: Job, content: bytes) -> None:
        def progress(part: float) -> None:
            job.part = part
            if job.cancelled:
                raise _CancelledError

        try:
            results = self._work(content, job.name, progress)
        except _CancelledError:
            return
        except UserError as error:
            job.error, job.state = str(error), 'failed'
        except MemoryError:
            job.error, job.state = 'Memory does not suffice; try a smaller image.', 'failed'
        except Exception:
            logging.getLogger(__name__).exception('an image could not be restored')
            job.error = 'This should not happen; the terminal of the app says more.'
            job.state = 'failed'
        else:
            with self._changed:
                if not job.cancelled:
                    job.results, job.state = results, 'done'
