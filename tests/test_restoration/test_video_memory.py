"""A long video needs the memory of a short one."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import VideoOptions, restore_video
from attentive_gan.restoration.video.video_restorer import VideoRestorer
from support.clips import make_clip

#: What may be added after the first frames: a frame of 32x32 with its maps has 15 kB.
MOST_ADDED = 150_000


@pytest.fixture
def traced() -> Iterator[None]:
    """Follow the memory of Python and NumPy."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


class _Copies:
    """Stands in for a network: gives back the frame, with a drop that stays."""

    gives_attention = True

    def __init__(self, restorer: ImageRestorer) -> None:
        self._restorer = restorer
        self.attention = np.zeros((32, 32), np.float32)
        self.attention[10:18, 12:20] = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._restorer, name)

    def restore(self, frame: np.ndarray, attention: bool) -> SimpleNamespace:
        """Return a copy."""
        assert attention
        return SimpleNamespace(image=frame.copy(), attention=self.attention.copy())


@pytest.mark.parametrize('look_ahead', [True, False])
def test_a_stream_may_be_as_long_as_one_likes(
    look_ahead: bool, identity: ImageRestorer, traced: None
) -> None:
    noise = np.random.default_rng(0).integers(90, 160, (4, 60, 3), np.uint8)
    scene = cv2.resize(
        noise, (660, 44), interpolation=cv2.INTER_CUBIC
    )  # steps of a pixel are no cuts
    video = VideoRestorer(_Copies(identity), look_ahead)  # type: ignore[arg-type]
    held, count = [], 0
    for number in range(500):
        left = abs(number % 1000 - 500)
        count += video.push(np.ascontiguousarray(scene[:32, left : left + 32])) is not None
        if number % 100 == 99:
            held.append(tracemalloc.get_traced_memory()[0])
    assert count + len(list(video.flush())) == 500
    assert max(held) - held[0] < MOST_ADDED


@pytest.mark.skipif(
    not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='ffmpeg is not installed'
)
def test_a_long_file_needs_the_memory_of_a_short_one(
    identity: ImageRestorer, tmp_path: Path, traced: None
) -> None:
    source = make_clip(tmp_path / 'a.mp4', '-an', frames=300, image='testsrc2=s=32x32:r=25')
    held: list[int] = []
    report = restore_video(
        _Copies(identity),  # type: ignore[arg-type]
        source, tmp_path / 'out.mp4', VideoOptions(segment_frames=100),
        lambda *_: held.append(tracemalloc.get_traced_memory()[0]),
    )  # fmt: skip
    assert report.frames == 300
    quarter = len(held) // 4
    assert max(held[-quarter:]) - max(held[quarter : 2 * quarter]) < MOST_ADDED
