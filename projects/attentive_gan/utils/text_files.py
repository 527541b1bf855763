"""Finds text where weights are expected: error pages, and pointers of Git LFS."""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path

from attentive_gan.errors import UserError, shown

#: Bytes that are read of a file.
_READ = 1024
_LFS_POINTER = b'version https://git-lfs.github.com/spec/'


def refuse_text(path: Path) -> None:
    """Refuse a text file in place of weights.

    Args:
        path: The file.

    Raises:
        UserError: It is a text file, or cannot be read.
    """
    try:
        with path.open('rb') as file:
            content = file.read(_READ)
    except OSError as error:
        raise UserError(f'{shown(path)} cannot be read ({error.strerror})') from error
    if content.startswith(_LFS_POINTER):
        raise UserError(
            f'{shown(path)} is a Git LFS pointer; fetch the file itself by `git lfs pull`'
        )
    beginning = _text(content).strip()
    if beginning:
        line = beginning.splitlines()[0][:60]
        raise UserError(
            f'{shown(path)} is a text file that begins with {line!r}, not the weights of a network; '
            'fetch the weights again'
        )


def _text(content: bytes) -> str:
    """Return the text of a file's first bytes; empty if they are no text."""
    try:
        # The last character may be cut off.
        text = codecs.getincrementaldecoder('utf-8-sig')().decode(content)
    except UnicodeDecodeError:
        return ''
    binary = any(unicodedata.category(c) == 'Cc' and not c.isspace() for c in text)
    return '' if binary else text
