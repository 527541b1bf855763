"""Restores many files; what is bad is named, and nothing that is done is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import MAX_PIXELS
from attentive_gan.inference import ImageRestorer
from attentive_gan.utils.atomic_io import remove_stale_temporaries

from .images import ImageFileRestorer, ImageWork
from .inputs import gather
from .outputs import Target, TargetOptions, plan_targets, refuse_existing
from .pipeline import Grouping, Pipeline, file_threads
from .sharding import Shard
from .video.restoring import VideoOptions, restore_video

State = Literal['done', 'skipped', 'failed']


@dataclass(frozen=True)
class BatchOptions:
    """What is done with all files."""

    target: TargetOptions = field(default_factory=TargetOptions)
    """How results are named."""
    quality: int = 95
    """Of JPEG files, 1 to 100."""
    max_pixels: int = MAX_PIXELS
    """Largest image that is decoded."""
    shard: Shard = field(default_factory=Shard)
    """Which part of the files is done here."""
    log: Path | None = None
    """File to which a line of JSON is added for each source."""
    video: VideoOptions = field(default_factory=VideoOptions)
    """How videos are written."""


@dataclass
class Record:
    """What became of a source."""

    source: str
    """Its file."""
    output: str
    """The restored file."""
    state: State
    """Whether it was restored now, was there before, or could not be restored."""
    reason: str = ''
    """Why it failed."""
    details: dict[str, Any] = field(default_factory=dict)
    """Size, times, notes."""


@dataclass
class Report:
    """What became of all sources."""

    records: list[Record]
    """One for each source, in the order in which they ended."""
    left_out: Mapping[str, int]
    """How many files in the folders are neither image nor video by name, by suffix."""
    seconds: float
    """Time for all."""
    interrupted: bool = False
    """Whether the keyboard ended the work early."""

    def of(self, state: State) -> list[Record]:
        """Return the records of a state."""
        return [record for record in self.records if record.state == state]


class ProgressCallback(Protocol):
    """Told of the progress."""

    def begin(self, total: int) -> None:
        """Take note of the number of sources."""

    def part(self, name: str, part: float) -> None:
        """Take note that a part, 0 to 1, of the current source is done."""

    def end(self, record: Record) -> None:
        """Take note of a source that is dealt with."""


class NullCallback:
    """A listener that tells nobody."""

    def begin(self, total: int) -> None:
        """Do nothing."""

    def part(self, name: str, part: float) -> None:
        """Do nothing."""

    def end(self, record: Record) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class BatchPlan:
    """A batch that was checked and can begin."""

    targets: list[Target]
    """What is to be done."""
    skipped: list[Target]
    """What is there already."""
    left_out: Mapping[str, int]
    """How many files in the folders are neither image nor video by name, by suffix."""
    options: BatchOptions
    """How."""


def plan_batch(inputs: Sequence[str | Path], out: str | Path, options: BatchOptions) -> BatchPlan:
    """Find sources and name results; nothing is written yet.

    Args:
        inputs: Files, folders and patterns.
        out: Output folder, or file for a single source.
        options: What is done with them.

    Raises:
        UserError: An input names nothing, results collide, or exist and it was not said what to do.
    """
    gathered = gather(inputs, Path(out))
    # Collisions are looked for among all, so that every shard gives the same answer.
    targets = options.shard.of(plan_targets(gathered.sources, Path(out), options.target))
    if options.target.existing == 'error':
        refuse_existing(targets)
    skip = options.target.existing == 'skip'
    there = [target for target in targets if skip and target.path.exists()]
    missing = [target for target in targets if not (skip and target.path.exists())]
    return BatchPlan(missing, there, gathered.left_out, options)


def restore_batch(
    plan: BatchPlan, restorer: ImageRestorer, listener: ProgressCallback | None = None
) -> Report:
    """Restore all files of a plan.

    Args:
        plan: What is to be done.
        restorer: The network.
        listener: Told of the progress.

    Returns:
        A record of every source; a bad one does not end the work. A keyboard interrupt ends it after the
        files that are being written.
    """
    listener = listener or NullCallback()
    started = time.perf_counter()
    report = Report([], plan.left_out, 0.0)
    listener.begin(len(plan.targets) + len(plan.skipped))
    for folder in {target.path.parent for target in plan.targets}:
        remove_stale_temporaries(folder)
    with ExitStack() as stack:
        log = stack.enter_context(_opened(plan.options.log)) if plan.options.log else None
        try:
            for record in _records(plan, restorer, listener):
                report.records.append(record)
                listener.end(record)
                if log is not None:
                    log.write(_line(record, restorer))
                    log.flush()
        except KeyboardInterrupt:
            report.interrupted = True
    report.seconds = time.perf_counter() - started
    return report


def _records(
    plan: BatchPlan, restorer: ImageRestorer, listener: ProgressCallback
) -> Iterator[Record]:
    for target in plan.skipped:
        yield Record(str(target.source.path), str(target.path), 'skipped')
    images = [t for t in plan.targets if t.source.kind == 'image']
    yield from _restore_images(images, plan.options, restorer, listener)
    for target in plan.targets:
        if target.source.kind == 'video':
            yield _restore_video(target, plan.options, restorer, listener)


def _restore_images(
    targets: Sequence[Target],
    options: BatchOptions,
    restorer: ImageRestorer,
    listener: ProgressCallback,
) -> Iterator[Record]:
    current = ''

    def part_done(part: float) -> None:
        listener.part(current, part)

    stages = ImageFileRestorer(restorer, options.quality, options.max_pixels, part_done)

    def restore(works: Sequence[ImageWork], documents: Sequence[Any]) -> list[Any]:
        nonlocal current
        current = shown(works[0].target.source.path.name)
        return stages.restore(works, documents)

    grouping = Grouping(
        lambda document: (document.pixels.shape, document.pixels.dtype),
        lambda document: restorer.together(document.pixels), restore, restorer.most_together,
    )  # fmt: skip
    pipeline = Pipeline(
        stages.size, stages.read, lambda work, document: restore([work], [document])[0],
        stages.write, threads=file_threads(restorer.device), grouping=grouping,
    )  # fmt: skip
    for work, error in pipeline.run(ImageWork(target) for target in targets):
        details: dict[str, Any] = {'seconds': {k: round(v, 4) for k, v in work.seconds.items()}}
        if work.height:
            details |= {'width': work.width, 'height': work.height}
        yield _record(work.target, error, details)


def _restore_video(
    target: Target, options: BatchOptions, restorer: ImageRestorer, listener: ProgressCallback
) -> Record:
    name = shown(target.source.path.name)
    try:
        report = restore_video(
            restorer, target.source.path, target.path, options.video,
            lambda part, _: listener.part(name, part),
        )  # fmt: skip
    except Exception as error:  # noqa: BLE001 -- it ends this video only
        return _record(target, error, {})
    return _record(target, None, asdict(report))


def _record(target: Target, error: BaseException | None, details: dict[str, Any]) -> Record:
    """Make the record of a source that was tried."""
    source, output = str(target.source.path), str(target.path)
    if error is None:
        return Record(source, output, 'done', '', details)
    if isinstance(error, UserError):
        reason = str(error)
    elif isinstance(error, MemoryError):
        reason = f'{shown(source)}: memory ran out; lower --memory or shrink the image'
    else:
        reason = f'{shown(source)}: {type(error).__name__}: {error}'
    return Record(source, output, 'failed', reason, details)


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open('a', encoding='utf-8', errors='backslashreplace')
    except OSError as error:
        raise UserError(f'{shown(path)} cannot be written ({error.strerror or error})') from error


def _line(record: Record, restorer: ImageRestorer) -> str:
    """Return a record as a line of JSON, with the network that made it."""
    known = {'network': restorer.name, 'weights_sha256': restorer.loaded.weights_sha256}
    values = {'time': time.strftime('%Y-%m-%dT%H:%M:%S%z'), **asdict(record), **known}
    return json.dumps(values, default=str) + '\n'
