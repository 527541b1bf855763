"""Writes the scores of every validation and test to files, one row per picture."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmagic.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

from ..metrics import PROTOCOLS, RaindropScores


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the complete new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    temporary.write_text(text)
    temporary.replace(path)


def to_csv(records: list[dict[str, Any]]) -> str:
    """Return records as CSV; text that a spreadsheet would take for a formula is quoted with '."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(records[0]), lineterminator='\n')
    writer.writeheader()
    for record in records:
        row = {
            key: f"'{value}" if isinstance(value, str) and value[:1] in '=+-@' else value
            for key, value in record.items()
        }
        writer.writerow(row)
    return buffer.getvalue()


@HOOKS.register_module()
class ScoreFiles(Hook):
    """Writes `<work_dir>/scores/<val_iter_N or test>/<data set>.csv` and `.json`.

    The CSV has one row per picture. The JSON has the means, what the protocols are, and where the
    figures come from: config, weights, iteration, versions, date.
    """

    priority = 'LOW'

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Write the scores of a validation."""
        self._write(runner, runner.val_loop, f'val_iter_{runner.iter}', runner.iter)

    def after_test_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Write the scores of a test."""
        self._write(runner, runner.test_loop, 'test', None)

    @master_only
    def _write(self, runner: Any, loop: Any, stage: str, iteration: int | None) -> None:
        folder = Path(runner.work_dir) / 'scores' / stage
        for evaluator, dataloader in zip(loop.evaluators, loop.dataloaders, strict=True):
            for metric in evaluator.metrics:
                if not isinstance(metric, RaindropScores) or not metric.records:
                    continue
                name = metric.prefix or dataloader.dataset.metainfo.get('dataset_name', 'scores')
                write_atomically(folder / f'{name}.csv', to_csv(metric.records))
                report = self._report(runner, metric, str(name), iteration)
                write_atomically(folder / f'{name}.json', json.dumps(report, indent=2) + '\n')
        runner.logger.info(f'Scores per picture: {folder}')

    def _report(
        self, runner: Any, metric: RaindropScores, name: str, iteration: int | None
    ) -> dict[str, Any]:
        """Collect the means and their provenance."""
        return {
            'data_set': name,
            'pictures': len(metric.records),
            'means': metric.compute_metrics(metric.records),
            'protocols': {key: PROTOCOLS[key].description for key in metric.protocols},
            'config': str(runner.cfg.filename),
            'checkpoint': None if iteration else str(runner._load_from),
            'iteration': iteration,
            'versions': {'torch': str(torch.__version__), 'mmengine': mmengine.__version__},
            'date': time.strftime('%Y-%m-%d %H:%M:%S'),
            'records': metric.records,
        }


@HOOKS.register_module()
class MeanScoresFile(Hook):
    """Writes the mean scores of a test to one JSON file (`tools/test.py --out`).

    Args:
        path: File to write.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    @master_only
    def after_test_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Write the means of all data sets."""
        write_atomically(self.path, json.dumps(metrics or {}, indent=2) + '\n')
        runner.logger.info(f'Mean scores: {self.path}')
