"""The one kind of error that a user can mend."""

from __future__ import annotations


class UserError(RuntimeError):
    """Something in the user's files, options or machine is not as needed.

    The message is complete for a person who has never seen the code: it names the file or the option,
    says what was expected and what to do. Command-line tools print it without a traceback.
    """
