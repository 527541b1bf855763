"""Errors that come up while a line is logged: none floods the console, none is lost."""

from __future__ import annotations

import logging
import sys

from .worker_errors import cause_in_words


def handle_log_errors(logger: logging.Logger) -> None:
    """Let the handlers of a logger report their errors in one line instead of a traceback for each record.

    - A log file that cannot be written (disk full) is named once; the training goes on without it.
    - torch reports a lost worker of a data loader by an error at whatever line runs at that moment. Where
      that is a line of logging, which would print and drop it, it is raised.

    Args:
        logger: Its present handlers are changed.
    """
    for handler in logger.handlers:
        _ErrorsOf(handler)


class _ErrorsOf:
    def __init__(self, handler: logging.Handler) -> None:
        self._handler = handler
        self._is_reported = False
        handler.handleError = self._handle  # type: ignore[method-assign]

    def _handle(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if error is not None and cause_in_words(error, list):
            raise error
        if not isinstance(error, OSError):
            logging.Handler.handleError(self._handler, record)
        elif not self._is_reported:
            self._is_reported = True
            name = getattr(self._handler, 'baseFilename', 'the console')
            sys.stderr.write(
                f'warning: cannot write the log to {name} ({error.strerror or error}); lines are missing '
                'there from now on\n'
            )
