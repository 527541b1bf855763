"""Reading and writing of calibrations, and the real pairs that they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attentive_gan.datasets.pair_dataset import PairDataset
from attentive_gan.datasets.pair_reading import Image, read_pair
from attentive_gan.datasets.pair_statistics import spread
from attentive_gan.datasets.pairing import raise_faults
from attentive_gan.errors import UserError

from .calibration import SCALES, Calibration
from .manifest import read_manifest, write_manifest

#: Name of the file that a calibration is written to.
CALIBRATION = 'calibration.json'

#: How the statistics are called, and how they are shown.
_ROWS = {
    'psnr': ('PSNR (dB)', '{:.1f}'),
    'mask_coverage': ('mask coverage', '{:.1%}'),
    'detail_ratio': ('detail ratio, median', '{:.2f}'),
    'detail_ratio_p10': ('detail ratio, 10th percentile', '{:.2f}'),
    'brighter_share': ('brighter share of the mask', '{:.1%}'),
}


def write_calibration(folder: Path, calibration: Calibration) -> Path:
    """Write `calibration.json` to a folder and return its path.

    Raises:
        UserError: The file cannot be written.
    """
    write_manifest(folder / CALIBRATION, calibration.record())
    return folder / CALIBRATION


def read_calibration(path: str | Path) -> dict[str, float]:
    """Return the fitted options, such as `coverage_scale`, of a calibration.

    Args:
        path: A file that `write_calibration` wrote.

    Raises:
        UserError: The file is missing or no calibration.
    """
    content = read_manifest(Path(path))
    if content is None:
        raise UserError(f'{path} does not exist. Make a calibration with render_raindrops.py.')
    scales = content.get('scales')
    if (
        not isinstance(scales, dict)
        or set(scales) != set(SCALES)
        or not all(isinstance(value, (int, float)) for value in scales.values())
    ):
        raise UserError(f'{path} is not a calibration: it needs scales {SCALES}.')
    return {name: float(scales[name]) for name in SCALES}


def real_pairs(datasets: Sequence[PairDataset], count: int) -> list[tuple[Image, Image]]:
    """Decode pairs spread evenly over data sets.

    Args:
        datasets: Data sets made with `lazy_init=True`.
        count: Number of pairs at most.

    Returns:
        (rainy, clean), RGB (H, W, 3), uint8.

    Raises:
        UserError: A data set is missing, empty or faulty.
    """
    pairs = []
    for dataset in datasets:
        found, faults = dataset.find_pairs()
        raise_faults(faults, dataset.root)
        pairs += found
    if not pairs:
        raise UserError(f'{datasets[0].root} holds no pairs. Name a folder of real pairs.')
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(count, len(pairs))).astype(int))
    return [
        read_pair({'img_path': p.rainy, 'gt_path': p.clean, 'rainy_side': p.rainy_side})
        for p in (pairs[index] for index in chosen)
    ]


def calibration_table(calibration: Calibration) -> list[tuple[str, ...]]:
    """Return a heading and a row of text per statistic: p10, p50 and p90 of real, before and after."""
    spreads = [spread(s) for s in (calibration.real, calibration.before, calibration.after)]
    rows: list[tuple[str, ...]] = [('p10 / p50 / p90', 'real', 'rendered before', 'rendered after')]
    for name, (title, form) in _ROWS.items():
        rows.append((title, *(_in_words(one[name], form) for one in spreads)))
    return rows


def _in_words(values: dict[str, Any], form: str) -> str:
    shown = [values[key] for key in ('p10', 'p50', 'p90')]
    return ' / '.join('-' if value is None else form.format(value) for value in shown)
