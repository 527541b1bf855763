"""Scores of telling wet glass from dry, on images and clips; for `tools/score_detection.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from attentive_gan import ImageRestorer, RaindropDetector
from attentive_gan.image_io import SUFFIXES, read_image
from attentive_gan.restoration.detection.detector import COVERED, WORKING_SIDE
from attentive_gan.utils.types import ImageArray
from benchmarks.video import CLIPS, render_clip
from drawn_scenes.scenes import draw_scene
from raindrop_renderer import add_raindrops
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.parameters import REGIMES

#: Height and width of drawn scenes.
_SCENE = (320, 480)
#: Attention from which a pixel counts, where attention alone is scored.
_ATTENDED = 0.5
#: Frames a second of the clips.
_RATE = 25
#: Frames of a camera's movement over a photo.
_PAN_FRAMES = 50


@dataclass
class DetectionScores:
    """Scores on images of one kind."""

    images: str
    """Their kind."""
    count: int
    """Number of images, or frames of a clip."""
    wet: float
    """Share that counts as wet: alarms, true ones or false ones."""
    attention_wet: float | None = None
    """Share in which the attention map alone, above 0.5, covers as much as the change must."""
    iou: float | None = None
    """Mean intersection over union of the mask from 128 on with pixels that drops cover by half or more."""
    attention_iou: float | None = None
    """The same of the attention map alone, above 0.5."""
    true_area: float | None = None
    """Mean share of the image that drops cover by half or more."""
    area: float | None = None
    """Mean `coverage`."""
    area_error: float | None = None
    """Mean absolute difference of both."""


def score_rendered(
    detector: RaindropDetector, photos: Sequence[Path], count: int
) -> Iterator[DetectionScores]:
    """Score images with rendered drops, one kind of drops after the other.

    Args:
        detector: What is scored.
        photos: Clean photos, of which each kind takes others; drawn scenes follow where they are too few.
        count: Images of each kind.
    """
    for kind, regime in enumerate(REGIMES):
        rows = []
        for number in range(kind * count, (kind + 1) * count):
            clean = read_image(photos[number]) if number < len(photos) else _scene(number)
            options = RaindropOptions(regimes={regime: 1.0})
            made = add_raindrops(clean, 40_000 + number, options)
            rows.append(_score(detector, made.rainy, made.coverage > 127))
        means = [float(value) for value in np.mean(rows, axis=0)]
        yield DetectionScores(f'drops: {regime}', count, *means)


def score_photos(
    detector: RaindropDetector, name: str, images: Sequence[ImageArray | Path]
) -> tuple[DetectionScores, list[ImageArray]]:
    """Judge photos.

    Args:
        detector: What is scored.
        name: Kind of the images.
        images: Images or their files.

    Returns:
        The share that counts as wet, and the images that do.
    """
    wet, by_attention = [], 0
    for image in images:
        pixels = read_image(image) if isinstance(image, Path) else image
        by_attention += _is_wet_by_attention(detector, pixels)
        if detector.detect(pixels).wet:
            wet.append(pixels)
    count = len(images)
    return DetectionScores(name, count, len(wet) / count, by_attention / count), wet


def score_clips(detector: RaindropDetector) -> list[DetectionScores]:
    """Score the clips of `tools/benchmark.py --video`, and their true frames, which are dry."""
    shares: dict[str, list[float]] = {'clips: drops': [], 'clips: the same, dry': []}
    for seed, (movement, regime) in enumerate(CLIPS):
        clip = list(render_clip(movement, regime, seed))
        for name, frames in zip(
            shares, ([f.rainy for f in clip], [f.clean for f in clip]), strict=True
        ):
            shares[name] += _judged(detector, frames)
    return [DetectionScores(name, len(wet), float(np.mean(wet))) for name, wet in shares.items()]


def score_pans(detector: RaindropDetector, photos: Sequence[ImageArray]) -> DetectionScores:
    """Score a camera that moves over dry photos, those that alarm: the share of all frames that do."""
    wet = []
    for photo in photos:
        height, width = photo.shape[0] * 3 // 4, photo.shape[1] * 3 // 4
        lefts = np.linspace(0, photo.shape[1] - width, _PAN_FRAMES).round().astype(int)
        wet += _judged(detector, [photo[:height, left : left + width] for left in lefts])
    return DetectionScores('pans over these', len(wet), float(np.mean(wet)) if wet else 0.0)


def _judged(detector: RaindropDetector, frames: Sequence[ImageArray]) -> list[float]:
    detector.reset()
    return [float(detector.push(frame, 1 / _RATE).wet) for frame in frames]


def drawn_scenes(count: int) -> list[ImageArray]:
    """Return drawn scenes without drops, others than those of `score_rendered`."""
    return [_scene(50_000 + number) for number in range(count)]


def image_files(folder: Path) -> list[Path]:
    """Return the image files below a folder, sorted."""
    return sorted(path for path in folder.rglob('*') if path.suffix.lower() in SUFFIXES)


def make_detector(weights: str | None) -> RaindropDetector:
    """Return the detector to score."""
    return RaindropDetector(ImageRestorer(weights=weights))


def _scene(number: int) -> ImageArray:
    return draw_scene(20_000 + number, _SCENE)


def _score(detector: RaindropDetector, rainy: ImageArray, covered: np.ndarray) -> tuple[float, ...]:
    """Return the fields of `DetectionScores` from `wet` on."""
    found = detector.detect(rainy)
    attention = detector.restorer.attend(rainy) > _ATTENDED
    area = float(covered.mean())
    return (
        found.wet, _is_wet_by_attention(detector, rainy),
        _iou(found.mask >= COVERED, covered), _iou(attention, covered),
        area, found.coverage, abs(found.coverage - area),
    )  # fmt: skip


def _is_wet_by_attention(detector: RaindropDetector, image: ImageArray) -> bool:
    height, width = image.shape[:2]
    factor = min(1.0, WORKING_SIDE / max(height, width))
    size = round(width * factor), round(height * factor)
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    share = (detector.restorer.attend(small) > _ATTENDED).mean()
    return bool(share >= detector.settings.wet_above)


def _iou(found: np.ndarray, covered: np.ndarray) -> float:
    union = (found | covered).sum()
    return float((found & covered).sum() / union) if union else 1.0
