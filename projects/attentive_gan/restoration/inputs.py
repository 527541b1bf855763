"""Finding the input files: files, folders and patterns; images and videos."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import SUFFIXES

from .addresses import refuse_addresses

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


def find_inputs(
    inputs: Sequence[str | Path], out: Path | None, result_suffix: str = ''
) -> FoundInputs:
    """Find the files to restore.

    Folders are searched recursively, and their structure is kept. Of several folders each keeps its name
    below the output folder. An output folder within a searched one is left out, and so are results of an
    earlier run that stand beside their inputs.

    Args:
        inputs: Files, folders, and patterns with `*`, `?`, `[...]` or `**`.
        out: Output folder or file; None if results are written beside their inputs.
        result_suffix: What is appended to the stem of the names of results.

    Raises:
        UserError: An argument matches no file, or no file is an image or video by its name.
    """
    refuse_addresses(map(str, inputs))
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
                if _is_result(file, path, out, result_suffix):
                    continue
                suffix = file.suffix.lower()
                if suffix in SUFFIXES or suffix in VIDEO_SUFFIXES:
                    files.append(file)
                else:
                    ignored[suffix or 'no suffix'] += 1
        elif path.exists() or path.is_symlink():
            root, prefix, files = path.parent, Path(), [path]
        else:
            root, files = _matches(str(argument), out)
            files = [file for file in files if not _is_result(file, root, out, result_suffix)]
            prefix = Path()
        for file in files:
            item = InputFile(file, prefix / file.relative_to(root))
            found.setdefault(os.path.realpath(file), item)
    if not found:
        kinds = ', '.join(f'{n} {shown(kind)}' for kind, n in sorted(ignored.items()))
        raise UserError(
            f'{", ".join(shown(path) for path in inputs)}: there is nothing to restore; '
            + (f'no image or video by name: {kinds}. ' if kinds else 'no file was found. ')
            + f'Images end in {", ".join(SUFFIXES)}, videos in {", ".join(VIDEO_SUFFIXES)}.'
        )
    return FoundInputs(list(found.values()), ignored)


def _is_result(file: Path, root: Path, out: Path | None, result_suffix: str) -> bool:
    """Return whether a file is a result of an earlier run beside its input, such as photo_dry.jpg."""
    beside = out is None or _is_same_or_below(root, out)
    stem = file.stem.removesuffix('_attention').removesuffix('_compare')
    if not (beside and result_suffix and stem.endswith(result_suffix)):
        return False
    source = stem.removesuffix(result_suffix)
    known = (*SUFFIXES, *VIDEO_SUFFIXES)
    return any(
        other.suffix.lower() in known for other in file.parent.glob(f'{glob.escape(source)}.*')
    )


def _matches(pattern: str, out: Path | None) -> tuple[Path, list[Path]]:
    """Return the part of a pattern before its first wildcard, and the files that match it."""
    parts = Path(pattern).parts
    fixed = next((k for k, part in enumerate(parts) if any(c in part for c in _WILDCARDS)), None)
    if fixed is None:
        raise UserError(f'{shown(pattern)} does not exist. Check the path.')
    root = Path(*parts[:fixed])
    files = sorted(root.glob(str(Path(*parts[fixed:]))))
    files = [file for file in files if file.is_file() and not _is_output(file, root, out)]
    if not files:
        raise UserError(f'{shown(pattern)}: no file matches this pattern.')
    return root, files


def _files_below(folder: Path, out: Path | None) -> Iterator[Path]:
    """Yield the files below a folder, sorted; hidden ones are temporary files and thumbnails."""
    for name, folders, files in os.walk(folder):
        here = Path(name)
        folders[:] = sorted(
            f for f in folders if f[0] != '.' and not _is_output(here / f, folder, out)
        )
        for file in sorted(files):
            if not file.startswith('.'):
                yield here / file


def _is_output(path: Path, root: Path, out: Path | None) -> bool:
    """Return whether a path is or is in an output folder that lies in the searched folder."""
    if out is None or not out.is_dir() or _is_same_or_below(root, out):
        return False
    return _is_same_or_below(path, out)


def _is_same_or_below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
