"""What the command-line tool shows: progress on a terminal, lines elsewhere, and a summary."""

from __future__ import annotations

import sys
import time
from types import TracebackType

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
from attentive_gan.restoration.batch import Record, Report
from attentive_gan.restoration.sharding import Shard

#: Images that are done sooner than this, in seconds, get no bar of their own.
_SOON = 1.0


class ConsoleProgress:
    """Shows progress on stderr; as a context, it takes the bars away at its end.

    Args:
        quiet: Whether to show nothing.
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bars away."""
        self._progress.stop()

    def note(self, text: str) -> None:
        """Show a line."""
        self._console.print(text, markup=False, highlight=False)

    def begin(self, total: int) -> None:
        """Show the bar of all sources."""
        self._started = time.monotonic()
        self._all = self._progress.add_task('all', total=total, rate='')

    def part(self, name: str, part: float) -> None:
        """Show the bar of the source in work, if it takes long."""
        now = time.monotonic()
        if name != self._name:
            self._drop_one()
            self._name, self._one_started = name, now
        if part >= 1:
            self._drop_one()
        elif self._one is not None:
            self._progress.update(self._one, completed=round(100 * part))
        elif now - self._one_started > _SOON:
            self._one = self._progress.add_task(escape(name), total=100, rate='%')

    def end(self, record: Record) -> None:
        """Count a source; name it where there are no bars, or if it failed."""
        self._ended += 1
        rate = self._ended / max(time.monotonic() - self._started, 1e-3)
        if self._all is not None:
            self._progress.update(self._all, completed=self._ended, rate=f'{rate:.1f}/s')
        if record.state == 'failed':
            self.note(f'failed: {record.reason}')
        elif not self._bars and record.state == 'done':
            self.note(f'{shown(record.source)} -> {shown(record.output)}')

    def _drop_one(self) -> None:
        if self._one is not None:
            self._progress.remove_task(self._one)
            self._one = None


def summary(report: Report, shard: Shard, out: object, quiet: bool, listed: int) -> None:
    """Print what became of all sources.

    Args:
        report: What became of them.
        shard: Which part of all files they are.
        out: Output folder or file.
        quiet: Whether to print failures only, on stderr.
        listed: How many failures are named.
    """
    done, skipped, failed = (report.of(state) for state in ('done', 'skipped', 'failed'))
    console = Console(soft_wrap=True, highlight=False, file=sys.stderr if quiet else sys.stdout)
    if not quiet:
        part = f'part {shard.number} of {shard.count}: ' if shard.count > 1 else ''
        console.print(
            f'{part}{len(done)} restored in {report.seconds:.1f} s{_rate(len(done), report.seconds)}, '
            f'{len(skipped)} there already, {len(failed)} failed: {shown(str(out))}',
            markup=False,
        )
        if report.left_out:
            kinds = ', '.join(f'{n} {shown(kind)}' for kind, n in sorted(report.left_out.items()))
            console.print(f'left out, no image or video by name: {kinds}', markup=False)
        for record in done:
            for note in record.details.get('notes', ()):
                console.print(f'{shown(record.source)}: {note}', markup=False)
            flicker = record.details.get('flicker')
            if flicker:
                console.print(
                    f'{shown(record.source)}: flicker {flicker[0]:.2f} in the source, {flicker[1]:.2f} in '
                    'the result (levels of 255)',
                    markup=False,
                )
    one_screen = console.is_terminal and sys.stderr.isatty() and len(report.records) <= listed
    if quiet or not one_screen:  # there, the failures have just been named above
        for record in failed[:listed]:
            console.print(f'failed: {record.reason}', markup=False)
        if len(failed) > listed:
            console.print(
                f'and {len(failed) - listed} more; --log FILE.jsonl names all', markup=False
            )
    if report.interrupted:
        console.print('interrupted; --skip-existing goes on from here', markup=False)


def _rate(done: int, seconds: float) -> str:
    """Return files per second, or seconds per file, in brackets; nothing for a single file."""
    if done < 2 or seconds <= 0:
        return ''
    rate = done / seconds
    return f' ({rate:.1f} per second)' if rate >= 1 else f' ({1 / rate:.1f} s each)'
