"""Records of a data set's files, by which damage and changes are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.digests import digest
from attentive_gan.utils.strict_json import read_json

#: Name of the record in a data set's folder.
MANIFEST = 'manifest.json'
#: Largest record: 500 bytes for each of 500,000 files.
_MAX_BYTES = 256 * 2**20


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Write a record as JSON; the file appears whole or not at all.

    Args:
        path: File to write.
        content: What to record.

    Raises:
        UserError: The file cannot be written.
    """
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + '\n')


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Read a record.

    Args:
        path: A file that `write_manifest` wrote.

    Returns:
        Its content, or None where there is no such file.

    Raises:
        UserError: The file is not such a record.
    """
    if not path.exists():
        return None
    content = read_json(path, 'a manifest', 'remove it and run again', _MAX_BYTES)
    if not isinstance(content, dict):
        raise UserError(f'{path} is not a manifest. Remove it and run again.')
    return content


def changed_files(folder: Path, digests: dict[str, str]) -> list[str]:
    """Return the files that are missing or differ from their record.

    Args:
        folder: Folder that holds the files.
        digests: SHA-256 of each file by its path below `folder`.
    """
    return [
        name
        for name, recorded in digests.items()
        if not (folder / name).is_file() or digest(folder / name) != recorded
    ]
