"""Names of the output files, and the policy for existing ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import WRITTEN_SUFFIXES, is_animation, suggested_suffix

from .inputs import VIDEO_SUFFIXES, InputFile

#: Suffixes of videos that are kept; others become .mp4.
WRITTEN_VIDEOS = ('.mp4', '.m4v', '.mov', '.mkv', '.webm')

#: Suffixes of images that are written, animations included.
_WRITTEN_IMAGES = (*WRITTEN_SUFFIXES, '.gif')

#: Images that other programs write; as the name of an output these mean a file, not a folder.
_FOREIGN_IMAGES = ('.heic', '.heif', '.hif', '.avif', '.jp2', '.jxl', '.ppm', '.tga', '.exr')

#: Suffixes of files begin with a letter; names of folders often end in numbers, such as v1.2.
_LIKE_A_SUFFIX = re.compile(r'\.[a-z][a-z0-9]{1,4}')

#: Number of files that one message names.
_NAMED = 3

Existing = Literal['error', 'skip', 'overwrite']


@dataclass(frozen=True)
class OutputOptions:
    """Names and kinds of output files."""

    format: str = 'keep'
    """`keep`, or a suffix without dot: png, jpg, webp, tif, bmp. Of images only."""
    suffix: str = ''
    """Appended to the stem of the name."""
    existing: Existing = 'error'
    """Policy for existing output files."""
    attention: bool = False
    """Whether to write `NAME_attention.png`, the attention map over the rainy image."""
    side_by_side: bool = False
    """Whether to write `NAME_compare.png`, rainy and restored image side by side."""
    videos: tuple[str, ...] = WRITTEN_VIDEOS
    """Suffixes of video files that hold the chosen codec; those of others are replaced by the first."""
    still: bool = False
    """Whether the output of a video is an image too."""


@dataclass(frozen=True)
class OutputFiles:
    """The output files of one input."""

    input: InputFile
    """The input."""
    path: Path
    """The restored file; it is written last, so if it exists all are complete."""
    attention: Path | None = None
    """Image with the attention map."""
    side_by_side: Path | None = None
    """Rainy and restored image side by side."""


def plan_outputs(
    inputs: Sequence[InputFile], out: Path | None, options: OutputOptions
) -> list[OutputFiles]:
    """Name the outputs, before any work.

    Args:
        inputs: Files to restore.
        out: Output folder; or the output file, if there is one input and the name has a known suffix; None
            to write beside the inputs.
        options: Names and kinds.

    Raises:
        UserError: Two outputs would have one name, an output would replace its input, or the suffix of
            the output file is of a kind that is not written, or an output would be written through a
            symbolic link out of the output folder.
    """
    if out is None:
        outputs = [
            _output_files(file, file.path.parent / name.name, options)
            for file, name in zip(inputs, _result_names(inputs, options), strict=True)
        ]
        _check_unique(outputs)
        return outputs
    file_suffixes = (*_WRITTEN_IMAGES, *VIDEO_SUFFIXES, *_FOREIGN_IMAGES)
    single = len(inputs) == 1 and not out.is_dir() and out.suffix.lower() in file_suffixes
    if single:
        kind = 'image' if options.still else inputs[0].kind
        written = WRITTEN_VIDEOS if kind == 'video' else WRITTEN_SUFFIXES
        if inputs[0].kind == 'image' and is_animation(inputs[0].path):
            written = _WRITTEN_IMAGES
        if out.suffix.lower() not in written:
            raise UserError(
                f'{shown(out)}: a {kind} is not written as {out.suffix}; choose one of '
                f'{", ".join(written)}'
            )
    elif len(inputs) > 1 and not out.is_dir() and out.suffix.lower() in file_suffixes:
        raise UserError(
            f'{shown(out)} names a file, but there are {len(inputs)} inputs; name a folder'
        )
    outputs = [
        _output_files(file, out if single else out / name, options)
        for file, name in zip(inputs, _result_names(inputs, options), strict=True)
    ]
    _check_unique(outputs)
    if not single:
        _check_below(outputs, out)
    return outputs


def check_file_name(out: Path) -> None:
    """Check that an output for a single file is no file of an unknown kind; a folder would be made of it.

    Raises:
        UserError: The name ends like a file's, but the suffix is unknown and there is no such folder.
    """
    known = (*_WRITTEN_IMAGES, *VIDEO_SUFFIXES, *_FOREIGN_IMAGES)
    suffix = out.suffix.lower()
    if _LIKE_A_SUFFIX.fullmatch(suffix) and suffix not in known and not out.is_dir():
        raise UserError(
            f'{shown(out)}: files of the kind {shown(suffix)} are not written; choose one of '
            f'{", ".join((*_WRITTEN_IMAGES, *WRITTEN_VIDEOS))}. If a folder is meant, make it first.'
        )


def refuse_existing(outputs: Sequence[OutputFiles]) -> None:
    """Check that no output exists.

    Raises:
        UserError: One exists.
    """
    existing = [output.path for output in outputs if output.path.exists()]
    if existing:
        more = f' and {len(existing) - _NAMED} more' if len(existing) > _NAMED else ''
        verb = 'exists' if len(existing) == 1 else 'exist'
        raise UserError(
            f'{", ".join(shown(path) for path in existing[:_NAMED])}{more} {verb} already; choose '
            '--skip-existing to keep them, --overwrite to replace them, or another output folder'
        )


def _result_names(inputs: Sequence[InputFile], options: OutputOptions) -> list[Path]:
    """Return the paths of results below the output folder.

    Where a phone has stored a photo twice, as `a.heic` and `a.jpg`, the first becomes `a_heic.jpg`.
    """
    names = [file.relative_path.with_name(_result_name(file, options)) for file in inputs]
    uses = Counter(str(name).casefold() for name in names)
    for index, (file, name) in enumerate(zip(inputs, names, strict=True)):
        kind = file.relative_path.suffix.lower()
        converted = file.kind == 'image' and kind not in (*WRITTEN_SUFFIXES, '')
        if converted and options.format == 'keep' and uses[str(name).casefold()] > 1:
            names[index] = name.with_name(f'{name.stem}_{kind[1:]}{name.suffix}')
    return names


def _result_name(file: InputFile, options: OutputOptions) -> str:
    name = file.relative_path
    suffix = name.suffix
    if file.kind == 'video' and not options.still:
        suffix = suffix if suffix.lower() in options.videos else options.videos[0]
    elif options.format != 'keep':
        suffix = f'.{options.format}'
    elif suffix.lower() not in WRITTEN_SUFFIXES or suffix.lower() == '.bmp':
        suffix = suggested_suffix(file.path)
    return f'{name.stem}{options.suffix}{suffix}'


def _output_files(file: InputFile, path: Path, options: OutputOptions) -> OutputFiles:
    if file.kind == 'video':
        return OutputFiles(file, path)
    return OutputFiles(
        file,
        path,
        path.with_name(f'{path.stem}_attention.png') if options.attention else None,
        path.with_name(f'{path.stem}_compare.png') if options.side_by_side else None,
    )


def _check_below(outputs: Sequence[OutputFiles], out: Path) -> None:
    """Refuse outputs that a symbolic link to another folder would carry out of the output folder."""
    root = out.resolve()
    for folder in {output.path.parent for output in outputs}:
        if not folder.resolve().is_relative_to(root):
            raise UserError(
                f'{shown(folder)} is a symbolic link out of the output folder, to '
                f'{shown(folder.resolve())}; remove the link or choose another output folder'
            )


def _check_unique(outputs: Sequence[OutputFiles]) -> None:
    """Refuse two outputs in one file, also where a file system ignores case."""
    owners: dict[str, InputFile] = {}
    for output in outputs:
        if output.path.exists() and output.path.samefile(output.input.path):
            raise UserError(
                f'{shown(output.path)} would replace its source; choose another output folder or a --suffix'
            )
        for path in filter(None, (output.attention, output.side_by_side, output.path)):
            other = owners.setdefault(str(path).casefold(), output.input)
            if other is not output.input:
                raise UserError(
                    f'{shown(other.path)} and {shown(output.input.path)} would both become '
                    f'{shown(path)}; restore them into different folders'
                )
