"""Output of `restore`: progress bars on a terminal, lines elsewhere, and a summary."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from attentive_gan.errors import shown

if TYPE_CHECKING:
    from attentive_gan.restoration.batch import Record, Report
    from attentive_gan.restoration.sharding import Shard

#: Inputs that are done sooner than this, in seconds, get no bar of their own.
_SOON = 1.0
#: How many failures the summary lists; the log has all.
_LISTED = 20


class ConsoleProgress:
    """Prints progress on stderr; as a context, it removes the bars at its end.

    Args:
        quiet: Whether to print nothing.
    """

    def __init__(self, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet, soft_wrap=True)
        self._bars = self._console.is_terminal and not quiet
        self._progress = Progress(
            TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
            TextColumn('{task.fields[rate]}'), TimeElapsedColumn(), TimeRemainingColumn(),
            console=self._console, transient=True, disable=not self._bars,
        )  # fmt: skip
        self._all: TaskID | None = None
        self._one: TaskID | None = None
        self._started = self._one_started = time.monotonic()
        self._name = ''
        self._ended = 0

    def __enter__(self) -> ConsoleProgress:
        """Show the bars."""
        self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Remove the bars."""
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, highlight=False)

    def begin(self, total: int) -> None:
        """Show the bar of all inputs."""
        self._started = time.monotonic()
        self._all = self._progress.add_task('all', total=total, rate='')

    def part(self, name: str, part: float) -> None:
        """Show the bar of the current input, if it takes long."""
        now = time.monotonic()
        if name != self._name:
            self._remove_one()
            self._name, self._one_started = name, now
        if part >= 1:
            self._remove_one()
        elif self._one is not None:
            self._progress.update(self._one, completed=round(100 * part))
        elif now - self._one_started > _SOON:
            self._one = self._progress.add_task(escape(name), total=100, rate='%')

    def end(self, record: Record) -> None:
        """Count an input; name it where there are no bars, or if it failed."""
        self._ended += 1
        rate = self._ended / max(time.monotonic() - self._started, 1e-3)
        if self._all is not None:
            self._progress.update(self._all, completed=self._ended, rate=f'{rate:.1f}/s')
        if record.state == 'failed':
            self.note(f'failed: {record.reason}')
        elif not self._bars and record.state == 'done':
            self.note(f'{shown(record.source)} -> {shown(record.output)}')

    def _remove_one(self) -> None:
        if self._one is not None:
            self._progress.remove_task(self._one)
            self._one = None


def print_summary(report: Report, shard: Shard, out: object, quiet: bool) -> None:
    """Print the outcome of all inputs.

    Args:
        report: Outcome of each input.
        shard: Which part of all files they are.
        out: Output folder or file.
        quiet: Whether to print failures only, on stderr.
    """
    failed = report.of('failed')
    console = Console(soft_wrap=True, highlight=False, file=sys.stderr if quiet else sys.stdout)
    lines = [] if quiet else _results(report, shard, out)
    one_screen = console.is_terminal and sys.stderr.isatty() and len(report.records) <= _LISTED
    if quiet or not one_screen:  # there, the failures have just been named above
        lines += [f'failed: {record.reason}' for record in failed[:_LISTED]]
        if len(failed) > _LISTED:
            lines.append(f'and {len(failed) - _LISTED} more; --log FILE.jsonl names all')
    if report.interrupted:
        lines.append('interrupted; --skip-existing goes on from here')
    for line in lines:
        console.print(line, markup=False)


def _results(report: Report, shard: Shard, out: object) -> list[str]:
    """Return how many inputs were restored, and what is to be said of some."""
    done, skipped, failed = (report.of(state) for state in ('done', 'skipped', 'failed'))
    part = f'part {shard.number} of {shard.count}: ' if shard.count > 1 else ''
    lines = [
        f'{part}{len(done)} restored in {report.seconds:.1f} s{_rate(len(done), report.seconds)}, '
        f'{len(skipped)} there already, {len(failed)} failed: {shown(str(out))}'
    ]
    if report.left_out:
        kinds = ', '.join(f'{n} {shown(kind)}' for kind, n in sorted(report.left_out.items()))
        lines.append(f'left out, no image or video by name: {kinds}')
    for record in done:
        notes = list(record.details.get('notes', ()))
        if flicker := record.details.get('flicker'):
            notes.append(
                f'flicker {flicker[0]:.2f} in the source, {flicker[1]:.2f} in the result (levels of 255)'
            )
        lines += [f'{shown(record.source)}: {note}' for note in notes]
    return lines


def _rate(done: int, seconds: float) -> str:
    """Return files per second, or seconds per file, in brackets; nothing for a single file."""
    if done < 2 or seconds <= 0:
        return ''
    rate = done / seconds
    return f' ({rate:.1f} per second)' if rate >= 1 else f' ({1 / rate:.1f} s each)'
