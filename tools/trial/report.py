"""What a trial found, rewritten after every phase."""

from __future__ import annotations

import json
import platform
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text


class Report:
    """Results of a trial as `results.json`.

    Args:
        path: File to write.
        notify: Called with each line for the user.
        header: What is known before the first phase.
        phases: Phases that will run. What an earlier trial noted of others in this file is kept, under
            `earlier`.

    Raises:
        UserError: There is a file that is not of a trial, or it cannot be written.
    """

    def __init__(
        self,
        path: Path,
        notify: Callable[[str], None],
        header: dict[str, Any],
        phases: Sequence[str] = (),
    ) -> None:
        self.path, self.notify = path, notify
        self.started = time.monotonic()
        self.data: dict[str, Any] = {'machine': machine(), **header, 'phases': {}}
        earlier = earlier_trials(path, phases)
        if earlier:
            self.data['earlier'] = earlier
        self.write()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def write(self) -> None:
        """Write all that is known, whole or not at all."""
        write_text(self.path, json.dumps(self.data, indent=2, default=str) + '\n')

    def phase(self, name: str, work: Callable[[dict[str, Any]], None]) -> bool:
        """Run a phase; an error ends the phase and is noted, and the trial goes on.

        Args:
            name: Name of the phase.
            work: Gets a dict for its results, and may call `write` while it works.

        Returns:
            Whether it ended well.
        """
        found: dict[str, Any] = {'status': 'running', 'began': round(self.elapsed, 1)}
        self.data['phases'][name] = found
        self.write()
        self.notify(f'[{self.elapsed:5.0f} s] {name} ...')
        try:
            work(found)
            found['status'] = 'done'
        except Exception as error:  # noqa: BLE001 -- one phase must not cost the others
            found['status'] = 'failed'
            kind = '' if isinstance(error, UserError) else f'{type(error).__name__}: '
            found['error'] = f'{kind}{error}'
            if kind:
                found['traceback'] = traceback.format_exc().splitlines()
        found['seconds'] = round(self.elapsed - found['began'], 1)
        self.write()
        note = f': {found["error"]}' if 'error' in found else ''
        self.notify(f'[{self.elapsed:5.0f} s] {name} {found["status"]}{note}')
        return found['status'] == 'done'


def earlier_trials(path: Path, phases: Sequence[str]) -> list[dict[str, Any]]:
    """Return what a file knows of phases that are not run now, trial by trial, the newest first.

    Args:
        path: `results.json` of earlier trials, or no file.
        phases: Phases that are run now.

    Raises:
        UserError: The file is not of a trial.
    """
    if not path.is_file():
        return []
    try:
        newest = json.loads(path.read_text('utf-8'))
        trials = [newest, *newest.pop('earlier', [])]
        for trial in trials:
            trial['phases'] = {k: v for k, v in trial['phases'].items() if k not in phases}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise UserError(f'{path} is not of a trial; choose another folder for --out') from error
    return [trial for trial in trials if trial['phases']]


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    found: dict[str, Any] = {
        'python': platform.python_version(),
        'torch': str(torch.__version__),
        'processor': platform.processor() or platform.machine(),
    }
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        found |= {
            'card': card.name,
            'memory_gb': round(card.total_memory / 1e9, 1),
            'cuda': torch.version.cuda,
            'cudnn': torch.backends.cudnn.version(),
        }
    return found
