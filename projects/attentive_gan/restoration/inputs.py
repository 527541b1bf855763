"""Finding the input files: files, folders and patterns; images and videos."""

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
    '.3gp', '.3g2', '.flv', '.f4v', '.ogv', '.vob', '.mxf', '.asf', '.m1v', '.m2v', '.m2t', '.dv', '.divx',
    '.qt', '.mod', '.tod', '.y4m', '.rm', '.rmvb', '.wtv', '.nut', '.ivf', '.h264', '.h265', '.hevc',
)  # fmt: skip

_WILDCARDS = '*?['


@dataclass(frozen=True)
class InputFile:
    """A file to restore."""

    path: Path
    """The file."""
    relative_path: Path
    """Path of its output below the output folder, with the input's name."""

    @property
    def kind(self) -> Literal['image', 'video']:
        """Kind by suffix; a file without a video's suffix is read as an image."""
        return 'video' if self.path.suffix.lower() in VIDEO_SUFFIXES else 'image'


@dataclass(frozen=True)
class FoundInputs:
    """Result of `find_inputs`."""

    files: list[InputFile]
    """Each file once, sorted within an argument."""
    ignored: Mapping[str, int]
    """Number of files in folders that have no image or video suffix, by suffix."""


def find_inputs(inputs: Sequence[str | Path], out: Path) -> FoundInputs:
    """Find the files to restore.

    Folders are searched recursively, and their structure is kept. Of several folders each keeps its name
    below the output folder. Files in the output folder itself are never inputs.

    Args:
        inputs: Files, folders, and patterns with `*`, `?`, `[...]` or `**`.
        out: Output folder or file.

    Raises:
        UserError: An argument matches no file.
    """
    several_folders = sum(Path(path).is_dir() for path in inputs) > 1
    found: dict[str, InputFile] = {}  # by real path, so that a file given twice counts once
    ignored: Counter[str] = Counter()
    for argument in inputs:
        path = Path(argument)
        if path.is_dir():
            root = path
            prefix = Path(path.resolve().name) if several_folders else Path()
            files = []
            for file in _files_below(path, out):
                suffix = file.suffix.lower()
                if suffix in SUFFIXES or suffix in VIDEO_SUFFIXES:
                    files.append(file)
                else:
                    ignored[suffix or 'no suffix'] += 1
        elif path.is_file() or path.is_symlink():
            root, prefix, files = path.parent, Path(), [path]
        else:
            root, files = _matches(str(argument), out)
            prefix = Path()
        for file in files:
            item = InputFile(file, prefix / file.relative_to(root))
            found.setdefault(os.path.realpath(file), item)
    return FoundInputs(list(found.values()), ignored)


def _matches(pattern: str, out: Path) -> tuple[Path, list[Path]]:
    """Return the part of a pattern before its first wildcard, and the files that match it."""
    parts = Path(pattern).parts
    fixed = next((k for k, part in enumerate(parts) if any(c in part for c in _WILDCARDS)), None)
    if fixed is None:
        raise UserError(f'{shown(pattern)} does not exist. Check the path.')
    root = Path(*parts[:fixed])
    files = sorted(root.glob(str(Path(*parts[fixed:]))))
    files = [file for file in files if file.is_file() and not _is_below(file, out)]
    if not files:
        raise UserError(f'{shown(pattern)}: no file matches this pattern.')
    return root, files


def _files_below(folder: Path, out: Path) -> Iterator[Path]:
    """Yield the files below a folder, sorted; hidden ones are temporary files and thumbnails."""
    for name, folders, files in os.walk(folder):
        here = Path(name)
        folders[:] = sorted(f for f in folders if f[0] != '.' and not _is_below(here / f, out))
        for file in sorted(files):
            if not file.startswith('.') and not _is_below(here / file, out):
                yield here / file


def _is_below(path: Path, out: Path) -> bool:
    """Return whether a path is the output folder or lies in it."""
    return out.is_dir() and path.absolute().is_relative_to(out.absolute())
