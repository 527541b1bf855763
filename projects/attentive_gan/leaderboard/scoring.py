"""Scores of an entry, from its PNG files alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attentive_gan.datasets.pairing import Pair
from attentive_gan.errors import UserError
from attentive_gan.evaluation import PROTOCOLS
from attentive_gan.evaluation.provenance import package_versions
from attentive_gan.image_io import read_image

from .data import BenchmarkData
from .lpips_distance import Lpips
from .outputs import Outputs
from .statistics import Mean, bootstrap_mean

#: Wraps the loop over the pairs, to show progress.
Progress = Callable[[Iterable[Pair], int], Iterable[Pair]]

#: Keys of the scores of a record, without LPIPS.
SCORES = tuple(f'{name}_{score}' for name in PROTOCOLS for score in ('psnr', 'ssim'))


def scoring_facts(lpips: Lpips | None) -> dict[str, Any]:
    """Return what decides a score beside the two images."""
    return {
        'protocols': {
            name: {'description': protocol.description, 'source': protocol.source}
            for name, protocol in PROTOCOLS.items()
        },
        'lpips': lpips.description if lpips else None,
        'versions': package_versions(),
    }


def score_images(
    outputs: Outputs,
    data: BenchmarkData,
    lpips: Lpips | None = None,
    known: Mapping[str, Mapping[str, Any]] | None = None,
    progress: Progress = lambda pairs, _: pairs,
) -> list[dict[str, Any]]:
    """Score every written image under all protocols.

    Args:
        outputs: The written images.
        data: Data set.
        lpips: Perceptual distance, where its weights are present.
        known: Records of an earlier run under the same scoring and data, by name; one is taken over if
            its image is the same.
        progress: Wraps the loop over the pairs.

    Returns:
        A record per image in the data set's order: name, sha256 of the PNG, size, scores.

    Raises:
        UserError: An image cannot be read or compared.
    """
    records = []
    for pair in progress(data.pairs, len(data.pairs)):
        before = (known or {}).get(pair.name)
        if before and before['sha256'] == outputs.digests[pair.name]:
            records.append(_finite_or_infinite(before))
            continue
        height, width = data.sizes[pair.name]
        records.append(
            {'name': pair.name, 'sha256': outputs.digests[pair.name], 'width': width,
             'height': height, **_scores(outputs.image(pair.name), data.read(pair)[1], lpips)}
        )  # fmt: skip
    return records


def _scores(path: Path, clean: NDArray[np.uint8], lpips: Lpips | None) -> dict[str, float]:
    """Score an image file against the clean image."""
    restored = read_image(path)
    try:
        scores = {
            f'{name}_{score}': getattr(protocol, score)(restored, clean)
            for name, protocol in PROTOCOLS.items()
            for score in ('psnr', 'ssim')
        }
    except ValueError as error:
        raise UserError(f'{path} cannot be scored: {error}') from error
    return {**scores, 'lpips': lpips(restored, clean)} if lpips else scores


def means_of(records: Sequence[Mapping[str, Any]]) -> dict[str, Mean]:
    """Return the mean of every score with its interval; SSIM and LPIPS likewise."""
    keys = [key for key in (*SCORES, 'lpips') if key in records[0]]
    return {key: bootstrap_mean([record[key] for record in records]) for key in keys}


def _finite_or_infinite(record: Mapping[str, Any]) -> dict[str, Any]:
    """Turn null, by which JSON says infinity, back."""
    return {key: np.inf if value is None else value for key, value in record.items()}
