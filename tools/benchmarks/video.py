"""What other frames show behind drops, measured on rendered clips; for `tools/benchmark.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, log10, sin

import cv2
import numpy as np
from attentive_gan import ImageRestorer
from attentive_gan.evaluation.protocols import PROTOCOLS
from attentive_gan.restoration.video.flicker import FlickerMeter
from attentive_gan.restoration.video.temporal_filter import TemporalFilter
from attentive_gan.utils.types import ImageArray
from drawn_scenes.scenes import draw_scene
from raindrop_renderer import RainyImage, add_raindrops
from raindrop_renderer.options import RaindropOptions

#: Height and width of the frames, and of the scene that the camera moves over.
FRAME, SCENE = (240, 360), (480, 800)
#: Frames of a clip.
FRAMES = 24
#: Movement of the camera and regime of the raindrops of each clip.
CLIPS = (
    ('slow pan', 'small'), ('slow pan', 'windscreen'), ('fast pan', 'discs'), ('fast pan', 'small'),
    ('zoom', 'ghosts'), ('zoom', 'windscreen'), ('turn', 'focused'), ('shake', 'small'),
    ('shake', 'highlights'), ('cut', 'discs'), ('still', 'windscreen'), ('still', 'small'),
)  # fmt: skip


@dataclass
class ClipScores:
    """Scores of the ways to restore a clip: `input`, `frames` (one by one), `temporal`, `fast`."""

    movement: str
    """Movement of the camera."""
    regime: str
    """Regime of the raindrops."""
    psnr: dict[str, float] = field(default_factory=dict)
    """Mean PSNR of the frames, protocol `qian`, in dB."""
    ssim: dict[str, float] = field(default_factory=dict)
    """Mean SSIM likewise."""
    behind: dict[str, float] = field(default_factory=dict)
    """PSNR of RGB where drops cover more than 30 %, over all frames, in dB."""
    flicker: dict[str, float] = field(default_factory=dict)
    """Flicker along the motion of the true frames (`FlickerMeter`), also of these (`truth`)."""


def measure_clips(restorer: ImageRestorer) -> Iterator[tuple[ClipScores, ImageArray]]:
    """Render each clip of `CLIPS` and restore it in all ways.

    Args:
        restorer: Network with an attention map.

    Yields:
        The scores, and an image of a frame: rainy, one by one, temporal, true.
    """
    for seed, (movement, regime) in enumerate(CLIPS):
        clip = list(render_clip(movement, regime, seed))
        restored = [restorer.restore(frame.rainy, attention=True) for frame in clip]
        ways = {'input': [f.rainy for f in clip], 'frames': [r.image for r in restored]}
        for way, look_ahead in (('temporal', True), ('fast', False)):
            filter_, images = TemporalFilter(look_ahead=look_ahead), []
            for frame, result in zip(clip, restored, strict=True):
                assert result.attention is not None  # noqa: S101 -- the network gives one
                images.append(filter_.push(frame.rainy, result.image, result.attention))
            ways[way] = [image for image in images if image is not None] + list(filter_.flush())
        scores = ClipScores(movement, regime)
        for way, images in ways.items():
            _score(scores, way, clip, images)
        scores.flicker['truth'] = _flicker(clip, [f.clean for f in clip])
        middle = FRAMES // 3
        frames = [ways[way][middle] for way in ('input', 'frames', 'temporal')]
        yield scores, np.hstack([*frames, clip[middle].clean])


def render_clip(movement: str, regime: str, seed: int) -> Iterator[RainyImage]:
    """Render the frames of a camera that moves over a drawn scene, with drops that stay on the glass.

    Args:
        movement: One of the movements of `CLIPS`.
        regime: Regime of the raindrops.
        seed: Seed of scene and drops.
    """
    height, width = FRAME
    options = RaindropOptions(regimes={regime: 1.0}, frame_width=540)
    for number in range(FRAMES):
        is_second = movement == 'cut' and number >= FRAMES // 2
        scene = draw_scene(300 + seed + 50 * is_second, SCENE)
        x, y, angle, zoom = _camera(movement, number)
        matrix = cv2.getRotationMatrix2D((x + width / 2, y + height / 2), angle, zoom)
        matrix[:, 2] -= (x, y)
        clean = cv2.warpAffine(
            scene, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        yield add_raindrops(clean.astype(np.uint8), 700 + seed, options)


def _camera(movement: str, number: int) -> tuple[float, float, float, float]:
    """Return left, top, angle in degrees and zoom of a frame."""
    part = number / (FRAMES - 1)
    return {
        'slow pan': (60 + 100 * part, 120, 0, 1),
        'fast pan': (20 + 400 * part, 100, 0, 1),
        'zoom': (180, 120, 0, 1 + 0.5 * part),
        'turn': (180, 120, 12 * part, 1),
        'shake': (180 + 8 * sin(1.7 * number), 120 + 6 * cos(2.3 * number), 0.5 * sin(number), 1),
        'cut': (60 + 200 * part, 120, 0, 1),
        'still': (180, 120, 0, 1),
    }[movement]


def _score(scores: ClipScores, way: str, clip: list[RainyImage], images: list[ImageArray]) -> None:
    protocol = PROTOCOLS['qian']
    pairs = list(zip(images, clip, strict=True))
    scores.psnr[way] = float(np.mean([protocol.psnr(a, f.clean) for a, f in pairs]))
    scores.ssim[way] = float(np.mean([protocol.ssim(a, f.clean) for a, f in pairs]))
    errors = [((a.astype(float) - f.clean)[f.alpha > 0.3] ** 2).ravel() for a, f in pairs]
    scores.behind[way] = 10 * log10(255**2 / max(1e-6, float(np.concatenate(errors).mean())))
    scores.flicker[way] = _flicker(clip, images)


def _flicker(clip: list[RainyImage], images: list[ImageArray]) -> float:
    meter = FlickerMeter()
    for frame, image in zip(clip, images, strict=True):
        meter.add(frame.clean, image)
    means = meter.means()
    return means[1] if means is not None else 0.0
