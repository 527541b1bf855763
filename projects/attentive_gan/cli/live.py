"""Live input of `restore` and `detect`: a camera or a network stream, ended by Ctrl-C or its own end."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from attentive_gan.errors import UserError, shown
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration.addresses import is_live
from attentive_gan.restoration.batch import Outcome, log_line
from attentive_gan.restoration.detection import Detection, RaindropDetector
from attentive_gan.restoration.detection.live import detect_live
from attentive_gan.restoration.detection.records import Records
from attentive_gan.restoration.video.encoders import check_codec
from attentive_gan.restoration.video.live_restoring import check_live_output, restore_live
from attentive_gan.restoration.video.live_source import LiveSource
from attentive_gan.restoration.video.restoring import VideoOptions
from attentive_gan.utils.appended_file import AppendedFile

from .common import echo

#: Seconds between two messages about the progress.
_MESSAGE_INTERVAL = 10.0


def live_input(inputs: list[str]) -> str | None:
    """Return the live input if it is the only one."""
    return inputs[0] if len(inputs) == 1 and is_live(inputs[0]) else None


def run_restore(args: argparse.Namespace, restorer: Callable[[], ImageRestorer]) -> int:
    """Restore the live input of a command line; return the exit code.

    Args:
        args: Command line of `restore`.
        restorer: Loads the network.

    Raises:
        UserError: An option does not fit live input, the output exists, or the input cannot be opened.
    """
    for option in ('attention', 'side_by_side', 'hold_attention', 'measure_flicker', 'shard'):
        if getattr(args, option):
            raise UserError(f'--{option.replace("_", "-")} is not for live input; omit it')
    if args.out is None:
        raise UserError('live input needs the name of a video file (-o dry.mp4)')
    check_codec(args.codec, args.encoder_options)
    check_live_output(args.out)
    _refuse_existing(args.out, args.existing)
    options = VideoOptions(
        args.crf, temporal=args.temporal, tell_wet=args.log is not None, codec=args.codec,
        encoder_options=args.encoder_options,
    )  # fmt: skip
    network = restorer()
    say = _Messages(args.quiet)
    with AppendedFile(args.log) as log, _opened(args) as source:
        say(f'{source.name}: {_size(source)}; Ctrl-C ends it and completes {shown(args.out)}')
        report = restore_live(
            network, source, args.out, options,
            lambda frames, seconds: say.at_times(
                lambda: f'{seconds:.0f} s: {frames} frames restored, {source.dropped} dropped'
            ),
        )  # fmt: skip
        outcome = Outcome(source.name, str(args.out), 'done', '', asdict(report))
        log.write(log_line(outcome, network))
    say(
        f'{report.frames} frames restored in {report.seconds:.1f} s, {report.dropped} dropped '
        f'({report.ended}): {shown(args.out)}'
    )
    return 0


def run_detect(args: argparse.Namespace, detector: Callable[[], RaindropDetector]) -> bool:
    """Judge the live input of a command line; return whether the glass was wet.

    Args:
        args: Command line of `detect`.
        detector: Loads the network.

    Raises:
        UserError: The mask exists, or the input cannot be opened.
    """
    if args.out is not None:
        if args.out.suffix.lower() != '.png':
            raise UserError(f'{shown(args.out)}: the mask of live input is a .png file; name one')
        _refuse_existing(args.out, args.existing)
    judge = detector()
    say = _Messages(args.quiet)
    was_wet: bool | None = None

    def tell(seconds: float, found: Detection) -> None:
        nonlocal was_wet
        if found.wet is not was_wet:
            say(
                f'{seconds:.1f} s: {"wet" if found.wet else "dry"}, {100 * found.coverage:.1f} % covered'
            )
        was_wet = found.wet

    with AppendedFile(args.log) as log, AppendedFile(args.csv) as table, _opened(args) as source:
        say(f'{source.name}: {_size(source)}; Ctrl-C ends it')
        details = detect_live(judge, source, Records(log, table), args.out, tell)
        outcome = Outcome(source.name, str(args.out or ''), 'done', '', details)
        log.write(log_line(outcome, judge.restorer))
    say(
        f'{details["judged_frames"]} frames judged, {details["dropped"]} dropped ({details["ended"]}): '
        f'wet in {100 * details["wet_share"]:.0f} % of them'
    )
    return bool(details['wet'])


class _Messages:
    """Prints lines at once, unless it is quiet."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._last: float | None = None

    def __call__(self, text: str) -> None:
        """Print a line."""
        if not self._quiet:
            echo(text)

    def at_times(self, text: Callable[[], str]) -> None:
        """Print a line if it is the first of its kind, or the last one is some seconds old."""
        now = time.monotonic()
        if self._last is None or now - self._last >= _MESSAGE_INTERVAL:
            self._last = now
            self(text())


def _size(source: LiveSource) -> str:
    height, width = source.size
    return f'{width}x{height}'


def _refuse_existing(path: Path, existing: str) -> None:
    if path.exists() and existing != 'overwrite':
        raise UserError(f'{shown(path)} exists already; choose --overwrite or another name')


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[LiveSource]:
    """Yield the open live input; SIGINT and SIGTERM end it cleanly, a second signal ends the program."""

    def stop(number: int, _frame: object) -> None:
        source.stop()
        signal.signal(number, before[signal.Signals(number)])

    with LiveSource(args.inputs[0], int(args.max_megapixels * 1e6)) as source:
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, stop) for number in numbers}
        try:
            yield source
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
