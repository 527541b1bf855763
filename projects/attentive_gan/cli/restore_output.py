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
from attentive_gan.restoration import ProgressCallback

if TYPE_CHECKING:
    from attentive_gan.restoration import Outcome, Report, Shard

#: Inputs that take less than this, in seconds, get no bar of their own.
_SHORT = 1.0
#: Largest number of failures in the summary; the log has all.
_LISTED = 20


class ConsoleProgress(ProgressCallback):
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
        self._batch = self._progress.add_task('all', total=None, rate='')
        self._current: TaskID | None = None
        self._started = self._current_started = time.monotonic()
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

    def on_start(self, total: int) -> None:
        """Show the bar of all inputs."""
        self._started = time.monotonic()
        self._progress.update(self._batch, total=total)

    def on_progress(self, name: str, fraction: float) -> None:
        """Show a bar for the current input if it takes long."""
        now = time.monotonic()
        if self._current is not None and (name != self._name or fraction >= 1):
            self._progress.remove_task(self._current)
            self._current = None
        if name != self._name:
            self._name, self._current_started = name, now
        if self._current is not None:
            self._progress.update(self._current, completed=round(100 * fraction))
        elif fraction < 1 and now - self._current_started > _SHORT:
            self._current = self._progress.add_task(escape(name), total=100, rate='%')

    def on_outcome(self, outcome: Outcome) -> None:
        """Count an input; print it if there are no bars, or if it failed."""
        self._ended += 1
        rate = self._ended / max(time.monotonic() - self._started, 1e-3)
        self._progress.update(self._batch, completed=self._ended, rate=f'{rate:.1f}/s')
        if outcome.state == 'failed':
            self.note(f'failed: {outcome.reason}')
        else:
            self.print_outcome(outcome)

    def print_outcome(self, outcome: Outcome) -> None:
        """Print an input that did not fail."""
        if not self._bars and outcome.state == 'done':
            self.note(f'{shown(outcome.input)} -> {shown(outcome.output)}')


def print_summary(report: Report, shard: Shard, out: object, quiet: bool) -> None:
    """Print the outcome of all inputs.

    Args:
        report: Outcome of each input.
        shard: Part of all files that the report covers.
        out: Output folder or file.
        quiet: Whether to print failures only, on stderr.
    """
    failed = report.of('failed')
    console = Console(soft_wrap=True, highlight=False, file=sys.stderr if quiet else sys.stdout)
    lines = [] if quiet else _results(report, shard, out)
    one_screen = console.is_terminal and sys.stderr.isatty() and len(report.outcomes) <= _LISTED
    if quiet or not one_screen:  # otherwise the failures are still visible above
        lines += [f'failed: {outcome.reason}' for outcome in failed[:_LISTED]]
        if len(failed) > _LISTED:
            lines.append(f'and {len(failed) - _LISTED} more; --log FILE.jsonl names all')
    if report.interrupted:
        lines.append('interrupted; --skip-existing goes on from here')
    for line in lines:
        console.print(line, markup=False)


def _results(report: Report, shard: Shard, out: object) -> list[str]:
    """Return the number of restored inputs, and notes about them."""
    done, skipped, failed = (report.of(state) for state in ('done', 'skipped', 'failed'))
    part = f'part {shard.number} of {shard.count}: ' if shard.count > 1 else ''
    lines = [
        f'{part}{len(done)} restored in {report.seconds:.1f} s{_rate(len(done), report.seconds)}, '
        f'{len(skipped)} there already, {len(failed)} failed: {shown(str(out))}'
    ]
    if report.ignored:
        kinds = ', '.join(f'{n} {shown(kind)}' for kind, n in sorted(report.ignored.items()))
        lines.append(f'ignored, no image or video by name: {kinds}')
    return [*lines, *_notes(done)]


def _notes(done: list[Outcome]) -> list[str]:
    """Return the notes about restored inputs; one line for all inputs with the same note."""
    inputs: dict[str, list[str]] = {}
    for outcome in done:
        notes = list(outcome.details.get('notes', ()))
        if flicker := outcome.details.get('flicker'):
            notes.append(
                f'flicker {flicker[0]:.2f} in the input, {flicker[1]:.2f} in the result (levels of 255)'
            )
        for note in notes:
            inputs.setdefault(note, []).append(shown(outcome.input))
    return [
        f'{names[0]}{f" and {len(names) - 1} more" if len(names) > 1 else ""}: {note}'
        for note, names in inputs.items()
    ]


def _rate(done: int, seconds: float) -> str:
    """Return files per second, or seconds per file, in brackets; nothing for a single file."""
    if done < 2 or seconds <= 0:
        return ''
    rate = done / seconds
    return f' ({rate:.1f} per second)' if rate >= 1 else f' ({1 / rate:.1f} s each)'
