"""Results of a sweep: one table, and the entries for the leaderboard."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from attentive_gan.config.inference_model import load_inference_model
from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_csv, to_json

from .plan import Sweep, read_object, read_times


def summarize_sweep(sweep: Sweep, states: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write `summary.json`, `summary.csv` and `entries.yml` (for `tools/leaderboard.py --entries`).

    Entries name the last checkpoint, never the best, which was chosen on the test images.

    Args:
        sweep: The sweep.
        states: What `run_sweep` returned.

    Returns:
        A row for each training: name, state, reason, iterations, minutes, median seconds per iteration,
        parameters of the generator in millions, and the mean scores of the last validation by protocol.
    """
    rows, entries = [], []
    for training, state in zip(sweep.trainings, states, strict=True):
        row = {
            'name': training.name,
            'state': state['state'],
            'reason': state.get('reason', ''),
            'iterations': state.get('iterations'),
            'minutes': round(state.get('minutes', 0.0), 2),
        }
        if state['state'] == 'done':
            checkpoint = training.folder / f'iter_{state["iterations"]}.pth'
            row['seconds_per_iteration'] = round(statistics.median(read_times(training.folder)), 4)
            config = str(training.folder / 'config.py')
            row['parameters_millions'] = round(_parameters(config, checkpoint) / 1e6, 3)
            row |= _last_scores(training.folder)
            entries.append({'name': training.name, 'config': config, 'checkpoint': str(checkpoint)})
        rows.append(row)
    write_text(sweep.folder / 'summary.json', to_json(rows))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [{name: row.get(name, '') for name in columns} for row in rows]
    write_text(sweep.folder / 'summary.csv', to_csv(cells))
    text = yaml.safe_dump({'entries': entries}, sort_keys=False)
    write_text(sweep.folder / 'entries.yml', text)
    return rows


def _parameters(config: str, checkpoint: Path) -> int:
    """Return the number of parameters of the generator, without buffers."""
    network = load_inference_model(config, str(checkpoint), 'cpu').network
    return 0 if network is None else sum(p.numel() for p in network.parameters())


def _last_scores(folder: Path) -> dict[str, float | None]:
    """Return the means of the last validation, by name of data set, protocol and score."""
    stages = sorted(folder.glob('scores/val_iter_*'), key=lambda path: int(path.name[9:]))
    scores: dict[str, float | None] = {}
    for path in sorted(stages[-1].glob('*.json')) if stages else ():
        report = read_object(path, 'the scores of a validation')
        means = report.get('means')
        if not isinstance(means, dict):
            raise UserError(f'{path} holds no mean scores; train {folder.name} anew')
        for name, value in means.items():
            known = type(value) in (int, float)
            scores[f'{report.get("data_set")}/{name}'] = round(value, 4) if known else None
    return scores
