"""Scores of an entry, from its PNG files alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.evaluation import PROTOCOLS, score_image
from attentive_gan.evaluation.lpips_distance import Lpips
from attentive_gan.evaluation.ntire import combined_score
from attentive_gan.evaluation.provenance import package_versions
from attentive_gan.image_io import read_image
from attentive_gan.utils.types import ImageArray

from .data import BenchmarkData
from .outputs import Outputs, Progress
from .statistics import Mean, bootstrap_mean

#: Score columns of a record, without LPIPS.
SCORES = tuple(f'{name}_{score}' for name in PROTOCOLS for score in ('psnr', 'ssim'))
#: Scores that are there with LPIPS, or without it.
MORE_SCORES = ('lpips', 'ntire_score', 'ntire_score_without_lpips')
#: Score by which entries are ranked.
RANKED_BY = 'qian_psnr'

#: Scores of one image: name, sha256 of the PNG, width, height, and the scores by column.
Record = dict[str, Any]


@dataclass(frozen=True)
class Scoring:
    """Everything that determines a score, except the two images.

    Attributes:
        protocols: Description and source of each protocol, by name.
        lpips: Description of LPIPS, or None where it is not computed.
        versions: Versions of the packages, by name.
    """

    protocols: dict[str, dict[str, str]]
    lpips: str | None
    versions: dict[str, str]

    @classmethod
    def current(cls, lpips: Lpips | None) -> Scoring:
        """Return the scoring of this run."""
        protocols = {
            name: {'description': protocol.description, 'source': protocol.source}
            for name, protocol in PROTOCOLS.items()
        }
        return cls(protocols, lpips.description if lpips else None, package_versions())


def score_images(
    outputs: Outputs,
    data: BenchmarkData,
    lpips: Lpips | None,
    known: Mapping[str, Record],
    progress: Progress,
) -> list[Record]:
    """Score every written image under all protocols.

    Args:
        outputs: The written images.
        data: Data set.
        lpips: Perceptual distance, where its weights are present.
        known: Records of an earlier run with the same scoring and data, by name; a record is kept if
            its image is unchanged.
        progress: Wraps the loop over the pairs.

    Returns:
        A record per image in the data set's order.

    Raises:
        UserError: An image cannot be read or compared.
    """
    records = []
    for pair in progress(data.pairs, len(data.pairs)):
        sha256 = outputs.digests[pair.name]
        record = known.get(pair.name)
        if record is None or record['sha256'] != sha256:
            height, width = data.sizes[pair.name]
            scores = _scores(outputs.image(pair.name), data.read(pair)[1], lpips)
            size = {'width': width, 'height': height}
            record = {'name': pair.name, 'sha256': sha256, **size, **scores}
        # Also of records of earlier versions, which lack it.
        record |= combined_score(record['bt601_psnr'], record['bt601_ssim'], record.get('lpips'))
        records.append(record)
    return records


def _scores(path: Path, gt: ImageArray, lpips: Lpips | None) -> dict[str, float]:
    """Score an image file against the clean image."""
    pred = read_image(path)
    try:
        scores = score_image(pred, gt)
    except ValueError as error:
        raise UserError(f'{path} cannot be scored: {error}') from error
    return {**scores, 'lpips': lpips(pred, gt)} if lpips else scores


def score_means(records: Sequence[Record]) -> dict[str, Mean]:
    """Return the mean of every score with its interval."""
    keys = [key for key in (*SCORES, *MORE_SCORES) if key in records[0]]
    return {key: bootstrap_mean([record[key] for record in records]) for key in keys}
