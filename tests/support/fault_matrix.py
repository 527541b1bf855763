"""The 46 faults.

Tests name their rows by `@pytest.mark.fault('A1', ...)`. A row passes if all of its tests passed and at
least one ran.
"""

from __future__ import annotations

from collections import defaultdict

import pytest

#: What happens, by row. A: crash, save, resume. B: numbers and determinism. C: data and files. D: several
#: processes. E: security.
ROWS = {
    'A1': 'kill -9 between iterations',
    'A2': 'kill -9 inside a save',
    'A3': 'SIGTERM and SIGINT, once and twice',
    'A4': 'disk full while a checkpoint is written',
    'A5': 'newest checkpoint cut off',
    'A6': 'bits of a tensor flipped in the newest checkpoint',
    'A7': 'file that points to the last checkpoint empty, missing or wrong',
    'A8': 'one checkpoint kept, kill -9 inside a save',
    'A9': 'work_dir that cannot be written',
    'A10': 'two trainings in one work_dir',
    'A11': 'resumed with other data or another learning rate',
    'A12': 'kill -9 in a validation',
    'A13': 'order of flush, rename and deletion',
    'A14': 'resume with nothing to resume from',
    'B1': 'loss becomes NaN',
    'B2': 'weight becomes NaN after the step',
    'B3': 'same seed twice',
    'B4': '0 or 2 workers',
    'B5': '1 or 2 threads, batch or single images',
    'B6': '1 process with batches of 4 or 2 with batches of 2',
    'C1': 'image cut off, empty, or no image',
    'C2': 'bytes flipped in a JPEG',
    'C3': 'pairs that do not fit, partners missing or twice',
    'C4': 'grey, 16-bit, transparent, CMYK, turned and tiny images',
    'C5': 'decompression bombs',
    'C6': 'loader worker killed',
    'C7': 'loader worker hangs',
    'C8': 'hostile file names',
    'C9': 'output exists, is the input, or is a link',
    'C10': 'image deleted after it was listed',
    'C11': 'shared memory too small',
    'D1': 'a process killed, with restarts',
    'D2': 'a process killed, without restarts',
    'D3': 'a process stopped',
    'D4': 'only one process writes',
    'D5': 'images that do not divide by the processes',
    'E1': 'pickled code in weights',
    'E2': 'code in the config of a checkpoint',
    'E3': 'malformed safetensors',
    'E4': 'code in a YAML file',
    'E5': 'HTML and scripts in names and notes',
    'E6': 'paths that lead out of a folder',
    'E7': 'results with NaN, duplicate keys, huge texts, deep nesting',
    'E8': 'formulas in cells of a spreadsheet',
    'E9': 'no network',
    'E10': 'mutated files (fuzzing)',
}
#: Rows about what MMEngine's runner does not do: reading images, writing results, tables and pages.
NOT_OF_A_RUNNER = {
    'C1',
    'C2',
    'C3',
    'C4',
    'C5',
    'C8',
    'C9',
    'C10',
    'E3',
    'E5',
    'E6',
    'E7',
    'E8',
    'E10',
}


class FaultTable:
    """A plugin of pytest that gathers the outcomes of rows and prints them at the end.

    Args:
        target: What is tested: 'own' or 'mmengine'.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self._rows: dict[str, tuple[str, ...]] = {}
        self._outcomes: dict[str, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, config, items: list[pytest.Item]) -> None:
        """Note the rows of all tests; of another target than 'own' keep those that can be run on it."""
        for item in items:
            self._rows[item.nodeid] = rows_of(item)
        if self.target == 'own':
            return
        kept = [item for item in items if 'target' in getattr(item, 'fixturenames', ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended; a skipped or failed preparation counts too."""
        if report.when == 'call' or report.outcome != 'passed':
            for row in self._rows.get(report.nodeid, ()):
                self._outcomes[row].append(report.outcome)

    def verdict(self, row: str) -> str:
        """Return 'pass', 'FAIL', 'skipped', 'not run' or 'not applicable'."""
        if self.target != 'own' and row in NOT_OF_A_RUNNER:
            return 'not applicable'
        outcomes = self._outcomes[row]
        if 'failed' in outcomes:
            return 'FAIL'
        return 'pass' if 'passed' in outcomes else 'skipped' if outcomes else 'not run'

    def pytest_terminal_summary(self, terminalreporter, config) -> None:
        """Print the table in runs of `pytest -m fault`."""
        if config.option.markexpr != 'fault':
            return
        terminalreporter.section(f'faults, {self.target}')
        verdicts = {row: self.verdict(row) for row in ROWS}
        for row, what in ROWS.items():
            count = len(self._outcomes[row])
            terminalreporter.line(f'{row:4} {what:70} {verdicts[row]:14} {count:3} tests')
        values = list(verdicts.values())
        applicable = len(values) - values.count('not applicable')
        terminalreporter.line(f'{values.count("pass")} of {applicable} faults survived')


def rows_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the rows that a test shows.

    Raises:
        pytest.UsageError: One is not in the table.
    """
    rows = [row for mark in item.iter_markers('fault') for row in mark.args]
    unknown = sorted(set(rows) - set(ROWS))
    if unknown:
        raise pytest.UsageError(f'{item.nodeid}: there is no fault {", ".join(unknown)}')
    return tuple(rows)
