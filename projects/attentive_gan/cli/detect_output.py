"""Output of `detect`: a line for each input on the standard output, progress and errors on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from attentive_gan.errors import shown

from .restore_output import ConsoleProgress

if TYPE_CHECKING:
    from attentive_gan.restoration.batch import Outcome, Report


class VerdictProgress(ConsoleProgress):
    """Prints the verdict of each input as it comes.

    Args:
        quiet: Whether to print nothing.
    """

    def __init__(self, quiet: bool) -> None:
        super().__init__(quiet)
        self._quiet = quiet
        self._stdout = sys.stdout  # bars replace it

    def print_outcome(self, outcome: Outcome) -> None:
        """Print the verdict of an input."""
        self.print_line(f'{shown(outcome.input)}: {_verdict(outcome)}')

    def print_line(self, line: str) -> None:
        """Print a line of results."""
        if self._bars and self._stdout.isatty():
            self.note(line)  # above the bars
        elif not self._quiet:
            self._stdout.write(line + '\n')
            self._stdout.flush()


def print_summary(report: Report, quiet: bool) -> None:
    """Print how many inputs were judged; if quiet, failures only.

    Args:
        report: Outcome of each input.
        quiet: Whether to print failures only.
    """
    done, skipped, failed = (report.of(state) for state in ('done', 'skipped', 'failed'))
    lines = [f'failed: {outcome.reason}' for outcome in failed] if quiet else []
    if not quiet and (len(report.outcomes) != 1 or report.ignored):
        wet = sum(outcome.details['wet'] for outcome in (*done, *skipped))
        lines.append(
            f'{len(done)} judged in {report.seconds:.1f} s, {len(skipped)} before, {len(failed)} failed: '
            f'{wet} wet'
        )
        if report.ignored:
            kinds = ', '.join(f'{n} {shown(kind)}' for kind, n in sorted(report.ignored.items()))
            lines.append(f'ignored, no image or video by name: {kinds}')
    if report.interrupted:
        lines.append('interrupted')
    sys.stderr.writelines(line + '\n' for line in lines)


def _verdict(outcome: Outcome) -> str:
    """Return the verdict of an input in words."""
    details = outcome.details
    text = f'{"wet" if details["wet"] else "dry"}, {100 * details["coverage"]:.1f} % covered'
    if 'wet_share' in details:
        text += f' (mean), wet in {100 * details["wet_share"]:.0f} % of the frames'
    return text + (' (judged before)' if outcome.state == 'skipped' else '')
