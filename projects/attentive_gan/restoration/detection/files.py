"""Detection in many files: a bad file is reported by name, and all others are judged."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError, shown
from attentive_gan.image_io import MAX_PIXELS, SUFFIXES, is_animation, read_header, read_image
from attentive_gan.restoration.batch import Outcome, ProgressCallback, Report, collect, outcome_of
from attentive_gan.restoration.inputs import InputFile, find_inputs
from attentive_gan.restoration.outputs import (
    Existing,
    OutputOptions,
    check_file_name,
    plan_outputs,
    refuse_existing,
)
from attentive_gan.restoration.pipeline import Pipeline, file_threads
from attentive_gan.utils.appended_file import AppendedFile
from attentive_gan.utils.atomic_io import remove_stale_temporaries
from attentive_gan.utils.types import ImageArray

from .detector import Detection, RaindropDetector
from .moving import moving_frames
from .records import Records, read_verdict, verdict, write_mask
from .wetness import WetnessMeter

#: Appended to the stem of the names of masks.
MASK_SUFFIX = '_mask'


@dataclass(frozen=True)
class DetectionOptions:
    """Options for all files."""

    existing: Existing = 'error'
    """Policy for existing masks; those that are kept tell the verdict."""
    suffix: str = MASK_SUFFIX
    """Appended to the stem of the names of masks."""
    max_pixels: int = MAX_PIXELS
    """Largest accepted number of pixels of an image or a frame."""
    log: Path | None = None
    """File to which a line of JSON is appended for each input and each frame of a video."""
    table: Path | None = None
    """File to which a row of CSV is appended for each image and each frame of a video."""


@dataclass(eq=False)
class _Job:
    """An input, the mask to write, and what was found until it is recorded."""

    input: InputFile
    mask: Path | None
    found: Detection | None = None


@dataclass(frozen=True)
class DetectionPlan:
    """Checked inputs and masks."""

    jobs: list[_Job]
    """What to judge."""
    skipped: list[_Job]
    """What was judged before."""
    ignored: Mapping[str, int]
    """Number of files in folders that have no image or video suffix, by suffix."""
    options: DetectionOptions
    """Options for all files."""


def plan_detection(
    inputs: Sequence[str | Path], out: Path | None, options: DetectionOptions
) -> DetectionPlan:
    """Find inputs and name masks; nothing is written.

    Args:
        inputs: Files, folders and patterns.
        out: Folder for masks, or a .png file for a single input; None writes no mask.
        options: Options for all files.

    Raises:
        UserError: An argument matches no file, there is nothing to judge, two masks have one name, or one
            exists and `options.existing` is 'error'.
    """
    if out is None:
        found = find_inputs(inputs, None, options.suffix)
        return DetectionPlan([_Job(file, None) for file in found.files], [], found.ignored, options)
    if len(inputs) == 1 and Path(inputs[0]).is_file():
        check_file_name(out)
    if not out.is_dir() and out.suffix.lower() in SUFFIXES and out.suffix.lower() != '.png':
        raise UserError(f'{shown(out)}: masks are written as PNG; name a .png file or a folder')
    found = find_inputs(inputs, out, options.suffix)
    named = plan_outputs(
        found.files, out, OutputOptions(format='png', suffix=options.suffix, still=True)
    )
    if options.existing == 'error':
        refuse_existing(named)
    jobs = [_Job(output.input, output.path) for output in named]
    skip = options.existing == 'skip'
    skipped = [job for job in jobs if skip and job.mask is not None and job.mask.exists()]
    return DetectionPlan(
        [job for job in jobs if job not in skipped], skipped, found.ignored, options
    )


def detect_files(
    plan: DetectionPlan, detector: RaindropDetector, callback: ProgressCallback | None = None
) -> Report:
    """Judge all files of a plan.

    Args:
        plan: From `plan_detection`.
        detector: Judges images and frames.
        callback: Reports the progress.

    Returns:
        The outcome of every input, with `coverage` and `wet` among its details; a bad one does not end the
        work. A keyboard interrupt does.
    """
    callback = callback or ProgressCallback()
    for folder in {job.mask.parent for job in plan.jobs if job.mask is not None}:
        remove_stale_temporaries(folder)
    report = Report([], plan.ignored)
    callback.on_start(len(plan.jobs) + len(plan.skipped))
    options = plan.options
    with AppendedFile(options.log) as log, AppendedFile(options.table) as table:
        work = _FileDetector(detector, options, Records(log, table), callback)
        collect(report, work.outcomes(plan), callback, log, detector.restorer)
    return report


def _stills(jobs: Sequence[_Job], moving: list[_Job]) -> Iterator[_Job]:
    """Yield still images, and append videos and animations to a list."""
    for job in jobs:
        if job.input.kind == 'video' or is_animation(job.input.path):
            moving.append(job)
        else:
            yield job


class _FileDetector:
    """Judges files."""

    def __init__(
        self,
        detector: RaindropDetector,
        options: DetectionOptions,
        records: Records,
        callback: ProgressCallback,
    ) -> None:
        self._detector, self._options = detector, options
        self._records, self._callback = records, callback

    def outcomes(self, plan: DetectionPlan) -> Iterator[Outcome]:
        """Yield the outcome of each file: those judged before, images, videos."""
        for job in plan.skipped:
            yield self._skipped(job)
        pipeline: Pipeline[_Job, ImageArray, Detection] = Pipeline(
            self._size, self._read, self._judge, self._write,
            threads=file_threads(self._detector.restorer.device),
        )  # fmt: skip
        moving: list[_Job] = []
        for job, error in pipeline.run(_stills(plan.jobs, moving)):
            details: dict[str, Any] = {}
            found, job.found = job.found, None
            if error is None and found is not None:
                self._records.add_image(job.input.path, found)
                height, width = found.mask.shape
                details = {'width': width, 'height': height} | verdict(found)
            yield self._outcome(job, error, details)
        for job in moving:
            yield self._judge_video(job)

    def _skipped(self, job: _Job) -> Outcome:
        assert job.mask is not None  # noqa: S101 -- it exists
        try:
            details = read_verdict(job.mask, self._options.max_pixels)
        except UserError as error:
            return self._outcome(job, error, {})
        return Outcome(str(job.input.path), str(job.mask), 'skipped', '', details)

    def _size(self, job: _Job) -> int:
        """Return the bytes of the decoded image and its mask; 0 for a file that cannot be read."""
        try:
            header = read_header(job.input.path, self._options.max_pixels)
        except Exception:  # noqa: BLE001 -- `_read` reports the reason; other files go on
            return 0
        return header.height * header.width * 4

    def _read(self, job: _Job) -> ImageArray:
        return read_image(job.input.path, self._options.max_pixels)

    def _judge(self, job: _Job, image: ImageArray) -> Detection:
        job.found = self._detector.detect(image)
        return job.found

    def _write(self, job: _Job, found: Detection) -> None:
        if job.mask is not None:
            write_mask(job.mask, found.mask, verdict(found))

    def _judge_video(self, job: _Job) -> Outcome:
        try:
            return self._outcome(job, None, self._video_details(job))
        except Exception as error:  # noqa: BLE001 -- it ends this video only
            return self._outcome(job, error, {})

    def _video_details(self, job: _Job) -> dict[str, Any]:
        """Judge every frame of a video or animation, and write its mask."""
        started = time.perf_counter()
        path, notes = job.input.path, list[str]()
        number = 0

        def record(seconds: float, found: Detection) -> None:
            self._records.add_frame(path, number, seconds, found)

        meter = WetnessMeter(self._detector, told=record)
        frames = moving_frames(job.input, self._options.max_pixels, notes)
        with closing(frames):
            for number, (frame, seconds, total) in enumerate(frames):
                meter.add(frame, seconds)
                self._callback.on_progress(shown(path.name), (number + 1) / total)
        summary, mask = meter.summary(), meter.mask()
        assert summary is not None  # noqa: S101 -- there was a frame
        assert mask is not None  # noqa: S101
        whole = asdict(summary)
        if job.mask is not None:
            write_mask(job.mask, mask, whole)
        height, width = mask.shape
        return {
            'frames': number + 1, 'width': width, 'height': height, **whole,
            'seconds': round(time.perf_counter() - started, 3), **({'notes': notes} if notes else {}),
        }  # fmt: skip

    @staticmethod
    def _outcome(job: _Job, error: BaseException | None, details: dict[str, Any]) -> Outcome:
        return outcome_of(job.input.path, str(job.mask or ''), error, details)
