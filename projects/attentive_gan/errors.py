"""The one kind of error that a user can correct, and the one of a stop by a signal."""

from __future__ import annotations

import signal
from pathlib import Path


class UserError(RuntimeError):
    """Something in the user's files, options or machine is not as needed.

    The message is complete for a person who has never seen the code: it names the file or the option,
    says what was expected and what to do. Command-line tools print it without a traceback.
    """


class StoppedBySignal(KeyboardInterrupt):
    """A signal ended the program after its results were saved.

    Args:
        number: Number of the signal.
        message: What was saved and how to go on.
    """

    def __init__(self, number: int, message: str) -> None:
        super().__init__(f'stopped by {signal.Signals(number).name}: {message}')
        self.number = number
        self.exit_code = 128 + number


def shown(path: str | Path) -> str:
    """Return a path for a message: control characters, such as a line break in a name, are escaped."""
    return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))
