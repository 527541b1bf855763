"""Where results go, and what is done about files that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import SUFFIXES

from .inputs import VIDEO_SUFFIXES, Source

#: Suffixes of videos that are kept; others become .mp4.
WRITTEN_VIDEOS = ('.mp4', '.m4v', '.mov', '.mkv')

#: Images that other programs write; as the name of an output these mean a file, not a folder.
_FOREIGN_IMAGES = ('.gif', '.heic', '.heif', '.avif', '.jp2', '.jxl', '.ppm', '.tga', '.exr')

#: How many files one message names.
_NAMED = 3

Existing = Literal['error', 'skip', 'overwrite']


@dataclass(frozen=True)
class TargetOptions:
    """How results are named."""

    format: str = 'keep'
    """`keep`, or a suffix without dot: png, jpg, webp, tif, bmp. Videos become mp4 unless kept."""
    suffix: str = ''
    """Put behind the stem."""
    existing: Existing = 'error'
    """What is done about results that are there."""
    attention: bool = False
    """Whether the attention map is drawn over the image, in `NAME_attention.png`."""
    side_by_side: bool = False
    """Whether rainy and restored image are joined, in `NAME_compare.png`."""


@dataclass(frozen=True)
class Target:
    """The files of one result."""

    source: Source
    """What it is made from."""
    path: Path
    """The restored file; it appears last, so what is there is complete."""
    attention: Path | None
    """Image with the attention map."""
    side_by_side: Path | None
    """Rainy and restored image side by side."""

    @property
    def files(self) -> list[Path]:
        """All of them."""
        return [f for f in (self.attention, self.side_by_side, self.path) if f is not None]


def plan_targets(sources: Sequence[Source], out: Path, options: TargetOptions) -> list[Target]:
    """Name the results, before any work.

    Args:
        sources: What is restored.
        out: Output folder; or the output file, if there is one source and the name has a known suffix.
        options: How they are named.

    Raises:
        UserError: Two results would have one name, a result would replace its source, or the name of the
            output file says a kind that is not written.
    """
    single = len(sources) == 1 and _is_file_name(out)
    if single:
        _check_kind(sources[0], out)
    targets = [_target(source, out, options, single) for source in sources]
    _check_unique(targets)
    return targets


def refuse_existing(targets: Sequence[Target]) -> None:
    """Make sure that no result is there already.

    Raises:
        UserError: One is.
    """
    there = [target.path for target in targets if target.path.exists()]
    if there:
        more = f' and {len(there) - _NAMED} more' if len(there) > _NAMED else ''
        raise UserError(
            f'{", ".join(shown(path) for path in there[:_NAMED])}{more} exist already; choose '
            '--skip-existing to keep them, --overwrite to replace them, or another output folder'
        )


def _is_file_name(out: Path) -> bool:
    kinds = (*SUFFIXES, *VIDEO_SUFFIXES, *_FOREIGN_IMAGES)
    return not out.is_dir() and out.suffix.lower() in kinds


def _check_kind(source: Source, out: Path) -> None:
    """Refuse an output file whose suffix is not that of a kind that is written for this source."""
    kinds = SUFFIXES if source.kind == 'image' else WRITTEN_VIDEOS
    if out.suffix.lower() not in kinds:
        raise UserError(
            f'{shown(out)}: a {source.kind} is not written as {out.suffix}; choose one of '
            f'{", ".join(kinds)}'
        )


def _target(source: Source, out: Path, options: TargetOptions, single: bool) -> Target:
    place = source.place
    ending = place.suffix
    if source.kind == 'video':
        ending = ending if ending.lower() in WRITTEN_VIDEOS else '.mp4'
    else:
        if options.format != 'keep':
            ending = f'.{options.format}'
        elif ending.lower() not in SUFFIXES:
            ending = '.png'  # an image under a foreign name: any kind fits into it
    path = out if single else out / place.parent / f'{place.stem}{options.suffix}{ending}'
    beside = path.with_name(path.stem)
    image = source.kind == 'image'
    return Target(
        source, path,
        beside.with_name(f'{path.stem}_attention.png') if options.attention and image else None,
        beside.with_name(f'{path.stem}_compare.png') if options.side_by_side and image else None,
    )  # fmt: skip


def _check_unique(targets: Sequence[Target]) -> None:
    """Refuse two results in one file, also where a file system does not tell cases apart."""
    owners: dict[str, Source] = {}
    for target in targets:
        if target.path.exists() and target.path.samefile(target.source.path):
            raise UserError(
                f'{shown(target.path)} would replace its source; choose another output folder or a --suffix'
            )
        for file in target.files:
            other = owners.setdefault(str(file).casefold(), target.source)
            if other is not target.source:
                raise UserError(
                    f'{shown(other.path)} and {shown(target.source.path)} would both become '
                    f'{shown(file)}; restore them into different folders'
                )
