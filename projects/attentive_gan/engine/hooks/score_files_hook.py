"""Writes the scores of every validation and test to files, one row per image."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

import cv2
from mmagic.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

from attentive_gan.compat.versions import installed_version
from attentive_gan.evaluation import PROTOCOLS, RaindropScores, mean_scores
from attentive_gan.utils.atomic_io import write_text

#: Packages whose version is recorded with a score.
_SCORING_PACKAGES = ('mmagic', 'mmengine', 'numpy', 'scikit-image', 'torch')
#: A cell that starts with one of these is a formula to a spreadsheet.
_FORMULA_STARTS = ('=', '+', '-', '@', '\t', '\r')


def to_json(report: Any) -> str:
    """Return strict JSON, which has no token for infinity: PSNRs of equal images become null."""

    def strict(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strict(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [strict(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(strict(report), indent=2, allow_nan=False) + '\n'


def to_csv(records: list[dict[str, Any]]) -> str:
    """Return records as CSV; text that a spreadsheet would take for a formula is quoted with '."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(records[0]), lineterminator='\n')
    writer.writeheader()
    for record in records:
        writer.writerow({key: _cell(value) for key, value in record.items()})
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    """Quote a text that a spreadsheet would take for a formula."""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_STARTS)
    return f"'{value}" if is_formula else value


@HOOKS.register_module()
class ScoreFilesHook(Hook):
    """Writes `<work_dir>/scores/<val_iter_N or test>/<data set>.csv` and `.json`.

    The CSV has one row per image. The JSON has the means, what the protocols are, and where the
    figures come from: config, weights, iteration, versions, date. Infinite PSNRs (equal images)
    are `inf` in the CSV and null in the JSON. Further metrics of the same name, such as one with
    other protocols, go to `<data set>_2` and so on.
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
        used: set[str] = set()
        for evaluator, dataloader in zip(loop.evaluators, loop.dataloaders, strict=True):
            for metric in evaluator.metrics or []:
                if not isinstance(metric, RaindropScores) or not metric.records:
                    continue
                name = metric.prefix or dataloader.dataset.metainfo.get('dataset_name', 'scores')
                file_name = _unused(str(name), used)
                write_text(folder / f'{file_name}.csv', to_csv(metric.records))
                report = self._report(runner, metric, str(name), iteration)
                write_text(folder / f'{file_name}.json', to_json(report))
        if used:
            runner.logger.info(f'Scores per image: {folder}')

    def _report(
        self, runner: Any, metric: RaindropScores, name: str, iteration: int | None
    ) -> dict[str, Any]:
        """Collect the means and their provenance."""
        weights = runner._load_from
        return {
            'data_set': name,
            'images': len(metric.records),
            'means': mean_scores(metric.records),
            'protocols': {key: PROTOCOLS[key].description for key in metric.protocols},
            'config': str(runner.cfg.filename) if runner.cfg.filename else None,
            'checkpoint': str(weights) if weights and not iteration else None,
            'iteration': iteration,
            'versions': versions(),
            'date': time.strftime('%Y-%m-%d %H:%M:%S'),
            'records': metric.records,
        }


def versions() -> dict[str, str]:
    """Return the versions of the packages that a score depends on, by name."""
    found = {name: installed_version(name) for name in _SCORING_PACKAGES}
    known = {name: str(version) for name, version in found.items() if version is not None}
    # OpenCV goes by many names on the package index.
    return {**known, 'opencv': cv2.__version__}


def _unused(name: str, used: set[str]) -> str:
    """Return the name, with a number where it is used already, and mark it as used."""
    candidates = (name if number == 1 else f'{name}_{number}' for number in itertools.count(1))
    chosen = next(candidate for candidate in candidates if candidate not in used)
    used.add(chosen)
    return chosen


@HOOKS.register_module()
class MeanScoresHook(Hook):
    """Writes the mean scores of a test to one JSON file (`tools/test.py --out`).

    Args:
        path: File to write.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    @master_only
    def after_test_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Write the means of all data sets."""
        write_text(self.path, to_json(metrics or {}))
        runner.logger.info(f'Mean scores: {self.path}')
