"""The one kind of error that a user can correct."""

from __future__ import annotations

from pathlib import Path


class UserError(RuntimeError):
    """Something in the user's files, options or machine is not as needed.

    The message is complete for a person who has never seen the code: it names the file or the option,
    says what was expected and what to do. Command-line tools print it without a traceback.
    """


def shown(path: str | Path) -> str:
    """Return a path for a message: control characters, such as a line break in a name, are escaped."""
    return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))
