"""A journal of finished work, from which an interrupted run continues."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError

from .atomic_io import write_text
from .strict_json import parse_json


class Journal:
    """A file of JSON objects, one a line: a header, then one row per finished item, appended at once.

    A line that was cut by the end of the process counts as not written.

    Args:
        path: File of the journal.

    Example:
        >>> import tempfile
        >>> journal = Journal(Path(tempfile.mkdtemp()) / 'journal.jsonl')
        >>> journal.begin({'seed': 1})
        >>> journal.append({'number': 0})
        >>> journal.read()
        ({'seed': 1}, [{'number': 0}])
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """Return the header and the rows; None and no rows where there is no journal."""
        if not self.path.is_file():
            return None, []
        rows = []
        for line in self.path.read_text('utf-8', errors='replace').splitlines():
            try:
                row = parse_json(line)
            except ValueError:
                row = None
            if isinstance(row, dict):
                rows.append(row)
            elif not rows:
                return None, []
        return (rows[0], rows[1:]) if rows else (None, [])

    def begin(self, header: dict[str, Any], rows: Iterable[dict[str, Any]] = ()) -> None:
        """Write the journal anew, all of it or nothing.

        Args:
            header: What the work depends on, to compare with at the next start.
            rows: Items that are finished already.

        Raises:
            UserError: The file cannot be written.
        """
        write_text(self.path, ''.join(_line(row) for row in (header, *rows)))

    def append(self, row: dict[str, Any]) -> None:
        """Add a finished item.

        Raises:
            UserError: The file cannot be written.
        """
        try:
            with self.path.open('a', encoding='utf-8') as stream:
                stream.write(_line(row))
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f'{self.path} cannot be written ({reason}).') from error


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, allow_nan=False) + '\n'
