"""What other frames show behind drops, measured on rendered clips; for `tools/benchmark.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from math import log10

import numpy as np
from attentive_gan import ImageRestorer
from attentive_gan.data_tools.rendered_clip import RenderedClip
from attentive_gan.datasets.camera_paths import Movement, scene_size
from attentive_gan.evaluation.protocols import PROTOCOLS
from attentive_gan.restoration.video.flicker import FlickerMeter
from attentive_gan.restoration.video.temporal_filter import TemporalFilter
from attentive_gan.utils.types import ImageArray
from drawn_scenes.scenes import draw_scene
from raindrop_renderer import RainyImage, Water
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.parameters import Regime

#: Movement of the camera, what the water does, regime of the raindrops, and noise of each clip.
CLIPS: tuple[tuple[Movement, Water, Regime, float], ...] = (
    ('pan', 'fixed', 'small', 0), ('pan', 'fixed', 'windscreen', 0),
    ('fast-pan', 'fixed', 'discs', 0), ('fast-pan', 'fixed', 'small', 0),
    ('zoom', 'fixed', 'ghosts', 0), ('zoom', 'fixed', 'windscreen', 0),
    ('turn', 'fixed', 'focused', 0), ('shake', 'fixed', 'small', 0),
    ('shake', 'fixed', 'highlights', 0), ('cut', 'fixed', 'discs', 0),
    ('still', 'fixed', 'windscreen', 0), ('still', 'fixed', 'small', 0),
    ('drive', 'fixed', 'small', 1), ('drive', 'wiped', 'discs', 1),
    ('pan', 'running', 'windscreen', 1), ('fast-pan', 'forming', 'small', 1),
    ('still', 'fixed', 'discs', 2), ('still', 'running', 'windscreen', 1),
    ('still', 'forming', 'small', 1), ('still', 'wiped', 'small', 2),
)  # fmt: skip


@dataclass
class ClipScores:
    """Scores of the ways to restore a clip: `input`, `frames` (one by one), `temporal`, `fast`."""

    movement: str
    """Movement of the camera."""
    water: str
    """What the water does."""
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
    for seed, kind in enumerate(CLIPS):
        clip = list(render_clip(*kind, seed))
        restored = [restorer.restore(frame.rainy, attention=True) for frame in clip]
        ways = {'input': [f.rainy for f in clip], 'frames': [r.image for r in restored]}
        for way, look_ahead in (('temporal', True), ('fast', False)):
            filter_, images = TemporalFilter(look_ahead=look_ahead), []
            for frame, result in zip(clip, restored, strict=True):
                assert result.attention is not None  # noqa: S101 -- the network gives one
                images.append(filter_.push(frame.rainy, result.image, result.attention))
            ways[way] = [image for image in images if image is not None] + list(filter_.flush())
        scores = ClipScores(*kind[:3])
        for way, images in ways.items():
            _score(scores, way, clip, images)
        scores.flicker['truth'] = _flicker(clip, [f.clean for f in clip])
        middle = len(clip) // 3
        frames = [ways[way][middle] for way in ('input', 'frames', 'temporal')]
        yield scores, np.hstack([*frames, clip[middle].clean])


def render_clip(
    movement: Movement, water: Water, regime: Regime, noise: float, seed: int
) -> Iterator[RainyImage]:
    """Render the frames of a camera that moves over a drawn scene.

    Args:
        movement: How the camera moves.
        water: What the drops do.
        regime: Regime of the raindrops.
        noise: Standard deviation of noise in the rainy frames, in levels.
        seed: Seed of scene and drops.
    """
    raindrops = RaindropOptions(regimes={regime: 1.0}, frame_width=540)
    clip = RenderedClip(movement, water, seed=700 + seed, noise=noise, raindrops=raindrops)
    size = scene_size(clip.size)
    return clip.render(cache(lambda second: draw_scene(300 + seed + 50 * second, size)))


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
