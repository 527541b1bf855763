"""Runs render jobs one after the other, or in several processes, with the same result."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any

import cv2

from attentive_gan.errors import UserError

from .clip_jobs import ClipJob
from .render_jobs import BadImage, RenderJob

#: A pair or a clip to render.
Job = RenderJob | ClipJob

#: A job with its record, or with the reason why its clean image cannot be used.
Outcome = tuple[Job, dict[str, Any] | BadImage]


def outcomes(jobs: Sequence[Job], workers: int) -> Iterator[Outcome]:
    """Render jobs; the files do not depend on the number of workers, the order of the outcomes does.

    Args:
        jobs: What to render.
        workers: Number of processes; 1 renders in this one.

    Yields:
        Each job when its files are written or its image was found to be bad.

    Raises:
        UserError: A file cannot be written, or a process was ended from outside. Jobs that other processes
            have begun are finished and yielded before.
    """
    if workers == 1:
        yield from ((job, _attempt(job)) for job in jobs)
        return
    with ProcessPoolExecutor(workers, _context(), prepare_worker) as pool:
        try:
            yield from _completed({pool.submit(_attempt, job): job for job in jobs})
        except BrokenProcessPool as error:
            raise UserError(
                'A rendering process was ended from outside, perhaps because memory ran out. Finished '
                'images are kept: run again, with fewer --workers.'
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _context() -> BaseContext:
    """Return a way to start processes that is safe beside threads; the package is loaded once for all."""
    if 'forkserver' not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context('spawn')
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([__name__])
    return context


def _attempt(job: Job) -> dict[str, Any] | BadImage:
    try:
        return job.render()
    except BadImage as error:
        return error


def _completed(jobs: dict[Future[Any], Job]) -> Iterator[Outcome]:
    """Yield outcomes as they come; after a failure, only those of the jobs that have begun."""
    failure: BaseException | None = None
    for future in as_completed(jobs):
        if future.cancelled():
            continue
        error = future.exception()
        if error is None:
            yield jobs[future], future.result()
        elif failure is None:
            failure = error
            for waiting in jobs:
                waiting.cancel()
    if failure is not None:
        raise failure


def prepare_worker() -> None:
    """Set up a worker: one thread, Ctrl-C left to the parent, exit with the parent."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """Exit when the parent has ended; a killed parent shuts no pool down, and its workers would hang."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
