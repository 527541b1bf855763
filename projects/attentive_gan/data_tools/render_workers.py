"""Runs render jobs one after the other, or in several processes, with the same result."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import wait as wait_for_end
from multiprocessing.context import BaseContext
from typing import Any

import cv2

from attentive_gan.errors import UserError

from .render_jobs import BadImage, RenderJob, render_job

#: A job with its record, or with the reason why its clean image cannot be used.
Outcome = tuple[RenderJob, dict[str, Any] | BadImage]

#: Jobs handed out per process: enough that none waits, few to lose when the run is interrupted.
_IN_HAND = 3


def outcomes(jobs: Iterable[RenderJob], workers: int) -> Iterator[Outcome]:
    """Render jobs; the files do not depend on the number of workers, the order of the outcomes does.

    Args:
        jobs: What to render.
        workers: Number of processes; 1 renders in this one.

    Yields:
        Each job when its files are written or its image was found to be bad.

    Raises:
        UserError: A file cannot be written, or a process was ended from outside. What other processes
            have in hand is finished and yielded before.
    """
    if workers == 1:
        yield from ((job, _attempt(job)) for job in jobs)
        return
    with ProcessPoolExecutor(workers, _context(), prepare_worker) as pool:
        try:
            yield from _pooled(pool, iter(jobs), _IN_HAND * workers)
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


def _attempt(job: RenderJob) -> dict[str, Any] | BadImage:
    try:
        return render_job(job)
    except BadImage as error:
        return error


def _pooled(
    pool: ProcessPoolExecutor, jobs: Iterator[RenderJob], in_hand: int
) -> Iterator[Outcome]:
    """Keep some jobs in hand; after a failure hand out no more, and finish what is in hand."""
    running: dict[Future, RenderJob] = {}
    failure: UserError | None = None
    while True:
        if failure is None:
            for job in islice(jobs, in_hand - len(running)):
                running[pool.submit(_attempt, job)] = job
        if not running:
            break
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            job = running.pop(future)
            try:
                yield job, future.result()
            except UserError as error:
                failure = failure or error
    if failure is not None:
        raise failure


def prepare_worker() -> None:
    """Make a process fit for its part: one thread, no answer to Ctrl-C, no life after its parent."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the parent has ended; a killed parent cannot say so, and would be waited for for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_end([parent.sentinel])
        os._exit(1)
