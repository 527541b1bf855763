"""Which files are to be restored: files, folders, patterns; images and videos."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import SUFFIXES

#: Suffixes of videos; OpenCV and ffmpeg decide what they can read.
VIDEO_SUFFIXES = (
    '.mp4', '.mov', '.avi', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.mts', '.m2ts', '.wmv', '.ts',
)  # fmt: skip

_MAGIC = '*?['


@dataclass(frozen=True)
class Source:
    """A file to restore."""

    path: Path
    """The file."""
    place: Path
    """Where its result lies below the output folder, with the source's name."""

    @property
    def kind(self) -> Literal['image', 'video']:
        """What its suffix says; what is no video is tried as an image."""
        return 'video' if self.path.suffix.lower() in VIDEO_SUFFIXES else 'image'


@dataclass(frozen=True)
class Gathered:
    """All sources in a fixed order."""

    sources: list[Source]
    """Each file once, sorted within an input."""
    left_out: Mapping[str, int]
    """How many files in folders are neither image nor video by name, by suffix."""


def gather(inputs: Sequence[str | Path], out: Path) -> Gathered:
    """Find the files to restore.

    A folder is searched with all folders in it, and its structure is kept. Of several folders each keeps
    its name below the output folder. What lies in the output folder itself is never a source.

    Args:
        inputs: Files, folders, and patterns with `*`, `?`, `[...]` or `**`.
        out: Output folder or file.

    Raises:
        UserError: An input names nothing.
    """
    folders = [path for path in map(Path, inputs) if path.is_dir()]
    found: dict[Path, Source] = {}
    left_out: Counter[str] = Counter()
    for text in inputs:
        path = Path(text)
        if path.is_dir():
            prefix = Path(path.resolve().name) if len(folders) > 1 else Path()
            for file in _files_below(path, out):
                if file.suffix.lower() in (*SUFFIXES, *VIDEO_SUFFIXES):
                    place = prefix / file.relative_to(path)
                    found.setdefault(_identity(file), Source(file, place))
                else:
                    left_out[file.suffix.lower() or 'no suffix'] += 1
        elif path.is_file() or path.is_symlink():
            found.setdefault(_identity(path), Source(path, Path(path.name)))
        else:
            for source in _matches(str(text), out):
                found.setdefault(_identity(source.path), source)
    return Gathered(list(found.values()), left_out)


def _matches(pattern: str, out: Path) -> Iterator[Source]:
    """Yield the files of a pattern, placed relative to its first part without wildcards."""
    parts = Path(pattern).parts
    fixed = next((k for k, part in enumerate(parts) if any(c in part for c in _MAGIC)), None)
    if fixed is None:
        raise UserError(f'{shown(pattern)} does not exist. Check the path.')
    root = Path(*parts[:fixed]) if fixed else Path()
    files = sorted(root.glob(str(Path(*parts[fixed:]))))
    files = [file for file in files if file.is_file() and not _is_below(file, out)]
    if not files:
        raise UserError(f'{shown(pattern)}: no file matches this pattern.')
    for file in files:
        yield Source(file, file.relative_to(root))


def _files_below(folder: Path, out: Path) -> Iterator[Path]:
    """Yield the files of a folder, sorted; hidden ones are temporary files and thumbnails, no images."""
    for name, folders, files in os.walk(folder):
        here = Path(name)
        folders[:] = sorted(f for f in folders if f[0] != '.' and not _is_below(here / f, out))
        for file in sorted(files):
            if not file.startswith('.') and not _is_below(here / file, out):
                yield here / file


def _is_below(path: Path, out: Path) -> bool:
    """Return whether a path is the output folder or lies in it."""
    wanted, there = path.absolute(), out.absolute()
    return there.is_dir() and (wanted == there or there in wanted.parents)


def _identity(path: Path) -> Path:
    """Return what is the same for a file given in two ways."""
    return Path(os.path.realpath(path))
