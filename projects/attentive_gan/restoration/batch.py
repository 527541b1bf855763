"""Restoration of many files: a bad file is reported by name, and all others are restored."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import MAX_PIXELS, is_animation
from attentive_gan.inference import ImageRestorer
from attentive_gan.utils.appended_file import AppendedFile
from attentive_gan.utils.atomic_io import remove_stale_temporaries

from .animations import AnimationReport, restore_animation
from .images import ImageFileRestorer
from .inputs import find_inputs
from .outputs import OutputFiles, OutputOptions, check_file_name, plan_outputs, refuse_existing
from .sharding import Shard
from .video.restoring import VideoOptions, VideoReport, restore_video

#: Appended to the stem of results that are written beside their inputs.
BESIDE_SUFFIX = '_dry'

State = Literal['done', 'skipped', 'failed']


@dataclass(frozen=True)
class BatchOptions:
    """Options for all files."""

    outputs: OutputOptions = field(default_factory=OutputOptions)
    """Names and kinds of output files."""
    quality: int = 95
    """Of JPEG files, 1 to 100."""
    max_pixels: int = MAX_PIXELS
    """Largest accepted number of pixels of an image or a frame."""
    shard: Shard = field(default_factory=Shard)
    """Part of the files that this process restores."""
    log: Path | None = None
    """File to which a line of JSON is appended for each input."""
    video: VideoOptions = field(default_factory=VideoOptions)
    """Options for videos."""


@dataclass
class Outcome:
    """Outcome of one input."""

    input: str
    """Its file."""
    output: str
    """The restored file."""
    state: State
    """Restored now, skipped because the output exists, or failed."""
    reason: str = ''
    """Error message if it failed."""
    details: dict[str, Any] = field(default_factory=dict)
    """Size, times, notes."""


@dataclass
class Report:
    """Outcome of a batch."""

    outcomes: list[Outcome]
    """One for each input, in the order in which they ended."""
    ignored: Mapping[str, int]
    """Number of files in folders that have no image or video suffix, by suffix."""
    seconds: float = 0.0
    """Time of the whole batch."""
    interrupted: bool = False
    """Whether a keyboard interrupt ended the batch early."""

    def of(self, state: State) -> list[Outcome]:
        """Return the outcomes with a state."""
        return [outcome for outcome in self.outcomes if outcome.state == state]


class ProgressCallback:
    """Reports the progress of a batch; override the methods of interest."""

    def on_start(self, total: int) -> None:
        """Called once with the number of inputs."""

    def on_progress(self, name: str, fraction: float) -> None:
        """Called with the name of the current input and its finished fraction, 0 to 1."""

    def on_outcome(self, outcome: Outcome) -> None:
        """Called after each input."""


@dataclass(frozen=True)
class BatchPlan:
    """A checked batch."""

    outputs: list[OutputFiles]
    """Outputs to write."""
    skipped: list[OutputFiles]
    """Outputs that exist and are kept."""
    ignored: Mapping[str, int]
    """Number of files in folders that have no image or video suffix, by suffix."""
    options: BatchOptions
    """Options for all files."""


def plan_batch(
    inputs: Sequence[str | Path], out: str | Path | None, options: BatchOptions
) -> BatchPlan:
    """Find inputs and name outputs; nothing is written.

    Args:
        inputs: Files, folders and patterns.
        out: Output folder, or file for a single input; None to write NAME_dry (or another suffix of the
            options) beside each input.
        options: Options for all files.

    Raises:
        UserError: An argument matches no file, there is nothing to restore, two outputs have one name, or
            an output exists and `options.outputs.existing` is 'error'.
    """
    if out is None:
        folder = next((path for path in inputs if Path(path).is_dir()), None)
        if folder is not None:
            raise UserError(f'{shown(folder)} is a folder; name an output folder by -o')
        suffix = options.outputs.suffix or BESIDE_SUFFIX
        options = replace(options, outputs=replace(options.outputs, suffix=suffix))
    else:
        out = Path(out)
        if len(inputs) == 1 and Path(inputs[0]).is_file():
            check_file_name(out)
    found = find_inputs(inputs, out, options.outputs.suffix)
    # All outputs are checked for collisions, so that every shard gives the same answer.
    outputs = options.shard.of(plan_outputs(found.files, out, options.outputs))
    if options.outputs.existing == 'error':
        refuse_existing(outputs)
    skip = options.outputs.existing == 'skip'
    existing = {output for output in outputs if skip and output.path.exists()}
    return BatchPlan(
        [output for output in outputs if output not in existing],
        [output for output in outputs if output in existing],
        found.ignored,
        options,
    )


def restore_batch(
    plan: BatchPlan, restorer: ImageRestorer, callback: ProgressCallback | None = None
) -> Report:
    """Restore all files of a plan.

    Args:
        plan: From `plan_batch`.
        restorer: The network.
        callback: Reports the progress.

    Returns:
        The outcome of every input; a bad one does not end the batch. A keyboard interrupt ends it after the
        files that are being written.
    """
    callback = callback or ProgressCallback()
    for folder in {output.path.parent for output in plan.outputs}:
        remove_stale_temporaries(folder)
    report = Report([], plan.ignored)
    callback.on_start(len(plan.outputs) + len(plan.skipped))
    with AppendedFile(plan.options.log) as log:
        collect(report, _outcomes(plan, restorer, callback), callback, log, restorer)
    return report


def collect(
    report: Report,
    outcomes: Iterator[Outcome],
    callback: ProgressCallback,
    log: AppendedFile,
    restorer: ImageRestorer,
) -> None:
    """Add outcomes to a report as they come; a keyboard interrupt ends this.

    Args:
        report: The report.
        outcomes: Does the work.
        callback: Is told of each outcome.
        log: Gets a line of each outcome.
        restorer: The network.
    """
    started = time.perf_counter()
    try:
        for outcome in outcomes:
            report.outcomes.append(outcome)
            callback.on_outcome(outcome)
            log.write(log_line(outcome, restorer))
    except KeyboardInterrupt:
        report.interrupted = True
    report.seconds = time.perf_counter() - started


def _outcomes(
    plan: BatchPlan, restorer: ImageRestorer, callback: ProgressCallback
) -> Iterator[Outcome]:
    options = plan.options
    for output in plan.skipped:
        yield Outcome(str(output.input.path), str(output.path), 'skipped')
    images = ImageFileRestorer(restorer, options.quality, options.max_pixels, callback.on_progress)
    animations: list[OutputFiles] = []
    for item, error in images.run(_still_images(plan.outputs, animations)):
        details: dict[str, Any] = {'seconds': {k: round(v, 4) for k, v in item.seconds.items()}}
        if item.height:
            details |= {'width': item.width, 'height': item.height}
        if item.notes:
            details['notes'] = item.notes
        yield _outcome(item.output, error, details)
    video = replace(options.video, max_pixels=options.max_pixels, tell_wet=options.log is not None)
    for output in animations:
        yield _restore_frames(restore_animation, output, video, restorer, callback)
    for output in plan.outputs:
        if output.input.kind == 'video':
            yield _restore_frames(restore_video, output, video, restorer, callback)


def _still_images(
    outputs: Sequence[OutputFiles], animations: list[OutputFiles]
) -> Iterator[OutputFiles]:
    """Yield the outputs of still images, and append those of animations to a list."""
    for output in outputs:
        if output.input.kind == 'image':
            if is_animation(output.input.path):
                animations.append(output)
            else:
                yield output


def _restore_frames(
    restore: Callable[..., VideoReport | AnimationReport],
    output: OutputFiles,
    options: VideoOptions,
    restorer: ImageRestorer,
    callback: ProgressCallback,
) -> Outcome:
    """Restore a video or an animation."""
    path = output.input.path
    name = shown(path.name)
    try:
        report = restore(
            restorer, path, output.path, options, lambda part, _: callback.on_progress(name, part)
        )
    except Exception as error:  # noqa: BLE001 -- it ends this file only
        return _outcome(output, error, {})
    return _outcome(output, None, asdict(report))


def _outcome(output: OutputFiles, error: BaseException | None, details: dict[str, Any]) -> Outcome:
    return outcome_of(output.input.path, str(output.path), error, details)


def outcome_of(
    path: Path, output: str, error: BaseException | None, details: dict[str, Any]
) -> Outcome:
    """Return the outcome of an input.

    Args:
        path: Its file.
        output: The file made of it.
        error: Why it failed; None if it did not.
        details: Size, times, notes.
    """
    if error is None:
        return Outcome(str(path), output, 'done', '', details)
    if isinstance(error, UserError):
        reason = str(error)
    elif isinstance(error, MemoryError):
        reason = f'{shown(path)}: memory ran out; lower --memory or shrink the image'
    else:
        reason = f'{shown(path)}: {type(error).__name__}: {error}'
    return Outcome(str(path), output, 'failed', reason, details)


def log_line(outcome: Outcome, restorer: ImageRestorer) -> str:
    """Return an outcome as a line of JSON, with the network that restored it."""
    values = asdict(outcome)
    line = {
        'time': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
        'source': values.pop('input'),  # this key has been in logs since version 0.1.0
        **values,
        'network': restorer.name,
        'weights_sha256': restorer.loaded.weights_sha256,
    }
    return json.dumps(line, default=str) + '\n'
