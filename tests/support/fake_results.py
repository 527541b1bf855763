"""Results of entries that were never run."""

from __future__ import annotations

import numpy as np
from attentive_gan.leaderboard import (
    Cost,
    CostSetting,
    DatasetInfo,
    EntryResult,
    bootstrap_mean,
)
from attentive_gan.leaderboard.results import RunInfo, SourceInfo, folder_of
from attentive_gan.leaderboard.scoring import SCORES, Scoring


def fake_result(name, kind, images, level, out, cost=None, notes=()):
    """Return the result of an entry that was never run; its images are small grey ones."""
    random = np.random.default_rng(len(name))
    records = [
        {'name': image, 'sha256': '0' * 64, 'width': 24, 'height': 16,
         **{key: float(level + random.normal() / 5) for key in SCORES}}
        for image in images
    ]  # fmt: skip
    machine = {'processor': 'p', 'threads': 1, 'dtype': 'float32'}
    result = EntryResult(
        name=name, kind=kind, folder=folder_of(name), command=f"tool --entry '{name}'",
        source=SourceInfo(f'{name}=x', {'weights_sha256': '1' * 64, 'config_sha256': '2' * 64}),
        data=DatasetInfo('test_a', 'set', len(records), 'i', 'm'),
        scoring=Scoring.current(None),
        run=RunInfo('d', 'cpu', 1, '3', {'torch': '2'}),
        records=records,
        means={key: bootstrap_mean([r[key] for r in records], 200) for key in SCORES},
        cost=cost and Cost(CostSetting(), machine=machine, **cost),
        notes=list(notes),
    )  # fmt: skip
    result.write(out)
    return result
