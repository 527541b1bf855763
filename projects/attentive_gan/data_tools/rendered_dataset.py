"""Writes a data set of rendered pairs: published layout, masks, coverage, manifest and contact sheet."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import raindrop_renderer

from attentive_gan.datasets import camera_paths
from attentive_gan.datasets.clean_images import DrawnScene, photos_below
from attentive_gan.datasets.pairing import images_in
from attentive_gan.errors import UserError
from attentive_gan.image_io import contact_sheet, read_image, write_image
from attentive_gan.utils.checks import check_range
from attentive_gan.utils.digests import digest
from attentive_gan.utils.types import ImageArray

from . import rendered_clip
from .clip_jobs import ClipOptions
from .render_jobs import FILES, BadImage, CleanSource, RenderedDatasetOptions
from .render_journal import RenderJournal
from .render_workers import Job, outcomes
from .sheets import evenly_spaced

#: Wraps the loop over the pairs, to show progress; gets the loop and its length.
Progress = Callable[[Iterable[Any], int], Iterable[Any]]

#: Pairs on the contact sheet at most.
_ROWS = 12

CONTACT_SHEET = 'contact_sheet.png'


@dataclass(frozen=True)
class RenderResult:
    """Outcome of a run."""

    kept: int
    """Pairs that were there already."""
    rendered: int
    """Pairs that this run rendered."""
    failures: list[str]
    """One line per clean image that cannot be used."""


def photo_sources(photos: Path, out: Path) -> list[CleanSource]:
    """Return the photos in a folder and its subfolders, or one photo, in natural order of their names.

    Args:
        photos: Folder or file.
        out: Folder of the renderings, which are no photos.

    Raises:
        UserError: There is none.
    """
    if photos.is_file():
        return [CleanSource(photos.name, photos)]
    own = [*(out / Path(name).parent for name in FILES.values()), out / CONTACT_SHEET]
    return [CleanSource(name, path) for name, path in photos_below(photos, own).items()]


def scene_sources(count: int, scenes: DrawnScene) -> list[CleanSource]:
    """Return the first drawn scenes.

    Raises:
        UserError: The count is below 1.
    """
    check_range('The number of scenes', count, 1)
    return [CleanSource(f'scene_{number}', scene=(scenes, number)) for number in range(count)]


def render_dataset(
    out: Path,
    sources: Sequence[CleanSource],
    options: RenderedDatasetOptions | ClipOptions,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = lambda loop, _: loop,
) -> RenderResult:
    """Render pairs of clean images into a folder; go on where an earlier run ended.

    Each pair N becomes `data/N_rain.png`, `gt/N_clean.png`, `mask/N_mask.png` (rule of `raindrop_mask` with
    its defaults) and `alpha/N_alpha.png` (coverage, 0 to 255). `manifest.json` records the source of
    each, with checksums; `contact_sheet.png` shows some. A pair whose files still fit them is kept.
    An image that cannot be used is left out, and so are the numbers of its pairs. Frame F of clip N
    becomes `data/N/F_rain.png` and so on.

    Args:
        out: Folder of the data set.
        sources: The clean images.
        options: What to render.
        workers: Number of processes; the files do not depend on it.
        overwrite: Whether to remove pairs that an earlier run wrote with other options, instead of
            refusing to mix.
        progress: Wraps the loop over the pairs.

    Raises:
        UserError: The folder holds other images or pairs of other options, or a file cannot be written;
            finished pairs stay, and another call goes on.
    """
    check_range('The number of workers', workers, 1)
    jobs = options.jobs(sources, out)
    journal = RenderJournal(out, _made_from(sources, options))
    _resume(journal, options, jobs, overwrite)
    missing = [job for job in jobs if job.number not in journal.records]
    kept = len(journal.records)
    if not missing and not journal.unfinished:
        return RenderResult(kept, 0, [])
    _clear_unrecorded(out, journal)
    journal.begin()
    failures: dict[str, str] = {}
    loop = outcomes(missing, min(workers, max(1, len(missing))))
    for job, outcome in progress(loop, len(missing)):
        if isinstance(outcome, BadImage):
            failures[job.source.name] = str(outcome)
        else:
            journal.add(outcome)
    lines = [failures[source.name] for source in sources if source.name in failures]
    if journal.records:
        write_image(out / CONTACT_SHEET, _sheet(out, journal.records))
    versions = {
        'python': platform.python_version(),
        'numpy': np.__version__,
        'opencv': cv2.__version__,
    }
    journal.finalize({'versions': versions, 'failures': lines})
    return RenderResult(kept, len(journal.records) - kept, lines)


def _made_from(
    sources: Sequence[CleanSource], options: RenderedDatasetOptions | ClipOptions
) -> dict[str, Any]:
    """Return all that the files depend on, beside the content of photos, with the types of JSON."""
    scenes = next((source.scene[0] for source in sources if source.scene), None)
    code = sorted(Path(raindrop_renderer.__file__).parent.glob('*.py'))
    if isinstance(options, ClipOptions):
        code += [Path(str(module.__file__)) for module in (camera_paths, rendered_clip)]
    content = asdict(options) | {
        'images': [source.name for source in sources],
        'scenes': asdict(scenes) if scenes else None,
        'renderer': {file.name: digest(file) for file in code},
    }
    return dict(json.loads(json.dumps(content)))


def _resume(
    journal: RenderJournal,
    options: RenderedDatasetOptions | ClipOptions,
    jobs: Sequence[Job],
    overwrite: bool,
) -> None:
    """Take over the pairs of an earlier run with the same options."""
    earlier = journal.read()
    own = {name for record in journal.records.values() for name in record['sha256']}
    if earlier is not None and earlier != journal.made_from:
        different = [k for k, v in journal.made_from.items() if earlier.get(k) != v]
        if not overwrite:
            raise UserError(
                f'{journal.out} holds pairs that were made with other options '
                f'({", ".join(different)}). Choose another folder (--out), or let them be replaced '
                f'(--overwrite).'
            )
        journal.records = {}
    if earlier is not None and journal.unfinished:
        names = (ClipOptions if 'clips' in earlier else RenderedDatasetOptions).names(earlier)
        own |= {file.format(name) for name in names for file in FILES.values()}
    foreign = [name for name in _images(journal.out) if name not in own]
    if foreign:
        raise UserError(
            f'{journal.out} holds images that this tool did not write, such as {foreign[0]}. '
            f'Choose another folder (--out) or move them away.'
        )
    journal.retain(jobs)


def _clear_unrecorded(out: Path, journal: RenderJournal) -> None:
    """Remove what a run that was ended in the middle of a pair left, and pairs that are replaced."""
    recorded = {name for record in journal.records.values() for name in record['sha256']}
    for name in _images(out):
        if name not in recorded:
            (out / name).unlink()
    for folder in reversed(_folders(out)):
        for leftover in folder.glob('.*.tmp'):
            leftover.unlink()
        if folder.parent != out and not any(folder.iterdir()):
            folder.rmdir()


def _folders(out: Path) -> list[Path]:
    """Return the folders of the layout, and those of clips in them."""
    folders = [out / Path(name).parent for name in FILES.values()]
    found = [folder for folder in folders if folder.is_dir()]
    return found + [child for folder in found for child in folder.iterdir() if child.is_dir()]


def _images(out: Path) -> list[str]:
    """Return the images in the folders of the layout, as paths below `out`."""
    files = (file for folder in _folders(out) for file in images_in(folder))
    return [file.relative_to(out).as_posix() for file in files]


def _sheet(out: Path, records: dict[int, dict[str, Any]]) -> ImageArray:
    """Show pairs spread evenly over the data set: rainy, clean, mask, coverage."""
    rows = []
    for number in evenly_spaced(sorted(records), _ROWS):
        record = records[number]
        shown = record.get('shown', number)  # a clip's middle frame
        images = [read_image(out / name.format(shown)) for name in FILES.values()]
        psnr = record['statistics']['psnr']
        caption = (
            f'{shown}   {record["parameters"]["regime"]}   '
            f'{"no change" if psnr is None else f"{psnr:.1f} dB"}   {record["source"]}'
        )
        rows.append((caption, images))
    return contact_sheet(('rainy', 'clean', 'mask (mean > 30, dilation 3)', 'coverage'), rows)
