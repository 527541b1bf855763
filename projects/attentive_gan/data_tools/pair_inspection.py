"""A thorough check of a data set: every image decoded, every pair compared, all faults listed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.datasets.pairing import Fault, Pair
from attentive_gan.errors import UserError
from attentive_gan.evaluation.protocols import psnr
from attentive_gan.utils.digests import digest
from attentive_gan.utils.manifest import changed_files
from attentive_gan.utils.typed_values import build
from attentive_gan.utils.types import ImageArray

#: Largest shift between partners that counts as aligned, in pixels.
MAX_SHIFT = 2.0

#: Least height of the correlation peak (0 to 1) at which a measured shift is reliable.
MIN_RESPONSE = 0.1

_SMALLEST_MEASURED = 64


@dataclass(frozen=True)
class PairRecord:
    """Measurements of one pair."""

    name: str
    """Name of the pair."""
    rainy: str
    """File of the rainy image, below the folder that was checked."""
    clean: str
    """File of the clean image, below the folder that was checked."""
    rainy_sha256: str
    """Checksum of the rainy file."""
    clean_sha256: str
    """Checksum of the clean file."""
    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    mask_share: float
    """Share of the pixels that the mask marks (`raindrop_mask` with its defaults), 0 to 1."""
    psnr_rgb: float | None
    """PSNR of the rainy image over RGB in dB; None where both are equal."""
    shift: tuple[float, float]
    """Shift of the rainy image against the clean one to the right and down, in pixels."""
    shift_response: float
    """Height of the correlation peak, 0 to 1; below `MIN_RESPONSE` the shift is unreliable."""
    pixels_sha256: tuple[str, str]
    """Checksums of the decoded rainy and clean pixels, which find copies in other files."""


def inspect_pair(pair: Pair, root: Path) -> PairRecord:
    """Decode a pair and measure it.

    Args:
        pair: Files of the pair.
        root: Folder that holds them, for the names in the record.

    Raises:
        UserError: A file cannot be decoded, or the two images differ in size.
    """
    rainy, clean = read_pair(pair.entry())
    shift, response = measure_shift(rainy, clean)
    return PairRecord(
        name=pair.name,
        rainy=pair.rainy.relative_to(root).as_posix(),
        clean=pair.clean.relative_to(root).as_posix(),
        rainy_sha256=digest(pair.rainy),
        clean_sha256=digest(pair.clean),
        width=rainy.shape[1],
        height=rainy.shape[0],
        mask_share=float(np.mean(raindrop_mask(rainy, clean) > 0)),
        psnr_rgb=None if np.array_equal(rainy, clean) else psnr(rainy, clean),
        shift=shift,
        shift_response=response,
        pixels_sha256=(_pixels_digest(rainy), _pixels_digest(clean)),
    )


def measure_shift(rainy: ImageArray, clean: ImageArray) -> tuple[tuple[float, float], float]:
    """Measure how far an image is shifted against another by phase correlation.

    Args:
        rainy: RGB (H, W, 3), uint8.
        clean: RGB (H, W, 3), uint8.

    Returns:
        Shift to the right and down in pixels, good to a pixel, and the height of the correlation
        peak, 0 to 1; zeros for images below 64x64, which are too small to measure.
    """
    if min(rainy.shape[:2]) < _SMALLEST_MEASURED:
        return (0.0, 0.0), 0.0
    greys = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (clean, rainy)]
    window = cv2.createHanningWindow((rainy.shape[1], rainy.shape[0]), cv2.CV_32F)
    (right, down), response = cv2.phaseCorrelate(greys[0], greys[1], window)
    return (float(right), float(down)), float(np.clip(np.nan_to_num(response), 0, 1))


def pair_faults(record: PairRecord) -> Iterator[Fault]:
    """Yield what is wrong with one pair by its record."""
    if record.psnr_rgb is None:
        remedy = 'Find the true partners or remove the pair.'
        yield Fault('rainy and clean are the same image', record.rainy, remedy)
        return
    distance = float(np.hypot(*record.shift))
    if distance > MAX_SHIFT and record.shift_response >= MIN_RESPONSE:
        where = f'{record.rainy} by {distance:.1f} px'
        remedy = 'Align the pair or remove it; a network learns blur from shifted pairs.'
        yield Fault('partners are shifted against each other', where, remedy)


def duplicate_faults(records: Iterable[PairRecord]) -> list[Fault]:
    """Find rainy images that are stored twice, also under other formats or in other splits."""
    first: dict[str, str] = {}
    faults = []
    for record in records:
        earlier = first.setdefault(record.pixels_sha256[0], record.rainy)
        if earlier != record.rainy:
            where = f'{record.rainy} equals {earlier}'
            faults.append(Fault('a rainy image is stored twice', where, 'Remove one of the pairs.'))
    return faults


def manifest_faults(manifest: dict[str, Any], root: Path) -> list[Fault]:
    """Find files that are missing or changed since a manifest was written.

    Args:
        manifest: Content of a manifest of `check_dataset.py`.
        root: Folder of the data set.

    Raises:
        UserError: The manifest has another form.
    """
    try:
        pairs = build(list[dict[str, Any]], manifest.get('pairs'), 'pairs')
        digests = {
            build(str, pair.get(side), side): build(
                str, pair.get(f'{side}_sha256'), f'{side}_sha256'
            )
            for pair in pairs
            for side in ('rainy', 'clean')
        }
    except ValueError as error:
        raise UserError(
            f'The manifest was not written by check_dataset.py ({error}): no pairs in it.'
        ) from error
    remedy = 'Copy the file again from its source.'
    changed = changed_files(root, digests)
    return [Fault('a file differs from the manifest', name, remedy) for name in changed]


def summary(records: Sequence[PairRecord]) -> dict[str, Any]:
    """Return the statistics of a data set: count, sizes, mask shares, PSNR, shifts."""
    if not records:
        return {'pairs': 0}
    levels = [record.psnr_rgb for record in records if record.psnr_rgb is not None]
    return {
        'pairs': len(records),
        'distinct_clean': len({record.pixels_sha256[1] for record in records}),
        'sizes': sorted({f'{record.width}x{record.height}' for record in records}),
        'mask_share': _spread([record.mask_share for record in records]),
        'psnr_rgb': _spread(levels) if levels else None,
        'shift': _spread([float(np.hypot(*record.shift)) for record in records]),
    }


def as_manifest(records: Sequence[PairRecord]) -> dict[str, Any]:
    """Return the content of the manifest of a checked data set."""
    return {'summary': summary(records), 'pairs': [asdict(record) for record in records]}


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        'least': round(min(values), 4),
        'mean': round(float(np.mean(values)), 4),
        'most': round(max(values), 4),
    }


def _pixels_digest(image: ImageArray) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()
