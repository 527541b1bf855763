"""Writes the scores of every validation and test, one row per image."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

from mmagic.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

from attentive_gan.evaluation import RaindropScores, mean_scores
from attentive_gan.evaluation.provenance import package_versions
from attentive_gan.utils.atomic_io import write_text
from attentive_gan.utils.report_files import to_csv, to_json


@HOOKS.register_module()
class ScoreFilesHook(Hook):
    """Writes `<work_dir>/scores/<val_iter_N or test>/<data set>.csv` and `.json`.

    The CSV has one row per image. The JSON has the means, the protocols and the provenance: config,
    weights, iteration, versions, date. Infinite PSNRs (equal images) are `inf` in the CSV and null in
    the JSON. Further metrics of the same name, such as one with other protocols, go to
    `<data set>_2` and so on.
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
                name = str(
                    metric.prefix or dataloader.dataset.metainfo.get('dataset_name', 'scores')
                )
                file_name = _unused(name, used)
                write_text(folder / f'{file_name}.csv', to_csv(metric.records))
                report = _report(runner, metric, name, iteration)
                write_text(folder / f'{file_name}.json', to_json(report))
        if used:
            runner.logger.info(f'Scores per image: {folder}')


def _report(
    runner: Any, metric: RaindropScores, name: str, iteration: int | None
) -> dict[str, Any]:
    """Return the means and their provenance."""
    weights = runner._load_from
    return {
        'data_set': name,
        'images': len(metric.records),
        'means': mean_scores(metric.records),
        'protocols': metric.descriptions(),
        'config': str(runner.cfg.filename) if runner.cfg.filename else None,
        'checkpoint': str(weights) if weights and not iteration else None,
        'iteration': iteration,
        'versions': package_versions(),
        'date': time.strftime('%Y-%m-%d %H:%M:%S'),
        'records': metric.records,
    }


def _unused(name: str, used: set[str]) -> str:
    """Return the name, with a number if it is used already, and add it to the used ones."""
    candidates = (name if number == 1 else f'{name}_{number}' for number in itertools.count(1))
    chosen = next(candidate for candidate in candidates if candidate not in used)
    used.add(chosen)
    return chosen
