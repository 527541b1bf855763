"""Frames that are pushed one by one: what is no frame is refused, and other sizes begin a scene."""

from __future__ import annotations

import numpy as np
import pytest
from attentive_gan import VideoRestorer
from attentive_gan.restoration.video import video_restorer


@pytest.mark.parametrize(
    ('frame', 'error', 'message'),
    [
        (None, TypeError, 'got NoneType'),
        ([[0, 0, 0]], TypeError, 'got list'),
        (np.zeros((32, 48, 3)), ValueError, 'got float64'),
        (np.zeros((32, 48), np.uint8), ValueError, r'got uint8 \(32, 48\)'),
        (np.zeros((0, 48, 3), np.uint8), ValueError, r'got uint8 \(0, 48, 3\)'),
    ],
)
def test_what_is_no_frame_is_refused(frame, error, message):
    video = VideoRestorer()
    with pytest.raises(error, match=message):
        video.push(frame)
    assert video.filter is None


def test_the_radius_follows_the_size_of_the_frames(monkeypatch):
    monkeypatch.setattr(video_restorer, '_HELD_BYTES', 4 * 6 * 64 * 96)
    video, frames = VideoRestorer(), 0
    for size, radius in (((32, 48), 12), ((64, 96), 4), ((32, 48), 12)):
        for _ in range(6):
            frames += video.push(np.full((*size, 3), 90, np.uint8)) is not None
        assert video.filter is not None
        assert video.filter.radius == radius
    assert frames + len(list(video.flush())) == 18
