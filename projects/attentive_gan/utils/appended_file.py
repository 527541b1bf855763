"""Text files to which lines are added while the work goes on."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from attentive_gan.errors import UserError, shown


class AppendedFile:
    r"""A text file to which is appended; as a context, it is open within. Each text is there at once.

    Args:
        path: The file, made with its folder if missing; None writes nothing.

    Raises:
        UserError: On entry, if the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'log.jsonl')
        >>> with AppendedFile(path) as log:
        ...     log.write('{}\n')
        >>> path.read_text()
        '{}\n'
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stream: IO[str] | None = None

    def __enter__(self) -> AppendedFile:
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self._path.open('a', encoding='utf-8', errors='backslashreplace')
            except OSError as error:
                reason = error.strerror or error
                raise UserError(f'{shown(self._path)} cannot be written ({reason})') from error
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._stream is not None:
            self._stream.close()

    @property
    def is_empty(self) -> bool:
        """Whether there is a file without any text."""
        return self._stream is not None and self._stream.tell() == 0

    def write(self, text: str) -> None:
        """Append a text."""
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()
