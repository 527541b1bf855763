"""The measure of flicker, and the attention that is held to lower it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from attentive_gan.inference import ImageRestorer
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.restoration import VideoOptions, restore_video
from attentive_gan.restoration.video.flicker import FlickerMeter
from drawn_scenes.scenes import draw_scene
from raindrop_renderer.sampling import add_raindrops
from support.lively_networks import lively


def _noisy(frames: int, seed: int = 0) -> list[np.ndarray]:
    """Return a still scene behind still drops, with noise of its own in each frame."""
    rainy = add_raindrops(draw_scene(3, (48, 64)), 5).rainy.astype(float)
    noise = np.random.default_rng(seed)
    return [
        np.clip(rainy + noise.normal(0, 6, rainy.shape), 0, 255).astype(np.uint8)
        for _ in range(frames)
    ]


def test_a_moving_scene_does_not_flicker_but_blinking_does() -> None:
    scene = draw_scene(3, (120, 200))
    still, blinking = FlickerMeter(), FlickerMeter()
    for number in range(6):
        frame = np.ascontiguousarray(scene[:, 2 * number : 2 * number + 160])
        still.add(frame, frame)
        blinking.add(frame, np.clip(frame.astype(int) + 8 * (number % 2), 0, 255).astype(np.uint8))
    source, result = still.means()
    assert source == result < 3
    assert abs(blinking.means()[1] - 8) < 2.5
    assert FlickerMeter().means() is None


class _RandomAttention:
    """A restorer whose attention is white noise and whose result nothing looks at."""

    name, gives_attention, tile, halo = 'random', True, None, None
    dtype, self_ensemble = torch.float32, False

    def __init__(self) -> None:
        self.loaded = ImageRestorer(network=AttentiveGenerator(num_steps=1)).loaded
        self.random = np.random.default_rng(0)
        self.held: list[np.ndarray] = []

    def attend(self, image: np.ndarray) -> np.ndarray:
        return self.random.standard_normal(image.shape[:2]).astype(np.float32)

    def restore(self, image: np.ndarray, held: np.ndarray) -> _RandomAttention:
        self.held.append(held)
        self.image = image
        return self


@pytest.fixture
def clip(tmp_path: Path) -> Callable[[list[np.ndarray]], Path]:
    """Return a function that writes frames without loss."""

    def write(frames: list[np.ndarray]) -> Path:
        height, width = frames[0].shape[:2]
        path, code = tmp_path / 'clip.avi', cv2.VideoWriter.fourcc(*'FFV1')
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 25, (width, height))
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        writer.release()
        return path

    return write


def test_held_noise_has_the_variance_of_the_closed_form(clip: Callable, tmp_path: Path) -> None:
    restorer, weight = _RandomAttention(), 0.6
    source = clip([np.full((32, 48, 3), 90, np.uint8)] * 40)
    restore_video(restorer, source, tmp_path / 'o.mp4', VideoOptions(hold_attention=weight))
    settled = np.var(restorer.held[15:])
    assert settled == pytest.approx((1 - weight) / (1 + weight), rel=0.05)


def test_a_new_scene_begins_a_new_average(clip: Callable, tmp_path: Path) -> None:
    restorer = _RandomAttention()
    source = clip([np.full((32, 48, 3), 40 + 120 * (n >= 15), np.uint8) for n in range(20)])
    restore_video(restorer, source, tmp_path / 'o.mp4', VideoOptions(4, 8, hold_attention=0.9))
    spread = [float(np.var(held)) for held in restorer.held]
    assert spread[15] == pytest.approx(1, rel=0.1)  # noise that was not averaged
    assert max(spread[8:15]) < 0.5  # the end of a segment, at frame 8, ends no scene


def test_holding_the_attention_lowers_flicker(clip: Callable, tmp_path: Path) -> None:
    restorer = ImageRestorer(network=lively(AttentiveGenerator(num_steps=2)), device='cpu')
    source, flicker = clip(_noisy(10)), {}
    for weight in (0.0, 0.8):
        options = VideoOptions(hold_attention=weight, measure_flicker=True, temporal='off')
        flicker[weight] = restore_video(restorer, source, tmp_path / 'o.mp4', options).flicker
    assert flicker[0.0][0] == flicker[0.8][0]  # the source's
    assert flicker[0.8][1] < flicker[0.0][1]
