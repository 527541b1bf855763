"""Without ffmpeg, OpenCV restores videos, and what is lost is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import VideoOptions, restore_video
from support.clips import decoded


@pytest.fixture(autouse=True)
def _without_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('PATH', str(tmp_path))


def _clip(path: Path, width: int = 48) -> Path:
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*'FFV1'), 25, (width, 32)
    )
    for number in range(20):
        writer.write(np.full((32, width, 3), 10 + 12 * number, np.uint8))
    writer.release()
    return path


def test_frames_are_kept_and_losses_said(identity: ImageRestorer, tmp_path: Path) -> None:
    source, target = _clip(tmp_path / 'a.avi'), tmp_path / 'out.mp4'
    report = restore_video(identity, source, target, VideoOptions(segment_frames=7))
    after = decoded(target)
    assert np.abs(after.mean(axis=(1, 2, 3)) - (10 + 12 * np.arange(20))).max() < 6  # half a step
    assert (report.frames, report.rate, report.audio) == (20, '25', False)
    assert any('no sound' in note for note in report.notes)


def test_webm_is_written(identity: ImageRestorer, tmp_path: Path) -> None:
    restore_video(identity, _clip(tmp_path / 'a.avi'), tmp_path / 'out.webm', VideoOptions())
    assert len(decoded(tmp_path / 'out.webm')) == 20


def test_it_goes_on_after_a_stop(identity: ImageRestorer, tmp_path: Path) -> None:
    source, target = _clip(tmp_path / 'a.avi'), tmp_path / 'out.mp4'

    def stop(done: float, text: str) -> None:
        if done >= 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_video(identity, source, target, VideoOptions(segment_frames=7), stop)
    assert restore_video(identity, source, target, VideoOptions(segment_frames=7)).resumed_at == 7
    restore_video(identity, source, tmp_path / 'whole.mp4', VideoOptions(segment_frames=7))
    assert np.array_equal(decoded(target), decoded(tmp_path / 'whole.mp4'))


def test_what_is_no_video_is_named(identity: ImageRestorer, tmp_path: Path) -> None:
    source = tmp_path / 'bad.mp4'
    source.write_text('no video')
    with pytest.raises(UserError, match=r'bad\.mp4'):
        restore_video(identity, source, tmp_path / 'out.mp4', VideoOptions())
