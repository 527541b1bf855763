"""A video whose restoring was killed goes on where it stopped, and ends as if it had not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.restoration import VideoOptions, restore_video
from attentive_gan.restoration.video.ffmpeg import _PipeWriter
from support.clips import TEST_IMAGE, decoded, frame_times, make_clip, stream_hash
from support.lively_networks import lively

pytestmark = pytest.mark.skipif(
    not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='ffmpeg is not installed'
)
SHORT = VideoOptions(segment_frames=7)


class _Stop(Exception):  # noqa: N818 -- no error
    """Ends the work from outside."""


def _stop_at(part: float) -> Callable[[float, str], None]:
    def progress(done: float, text: str) -> None:
        if done >= part:
            raise _Stop

    return progress


def test_killed_work_goes_on(identity_weights: Path, tmp_path: Path) -> None:
    source = make_clip(tmp_path / 'a.mp4', frames=200)
    target = tmp_path / 'killed.mp4'
    code = (
        'import sys; from pathlib import Path; from attentive_gan.inference import ImageRestorer;'
        'from attentive_gan.restoration import VideoOptions, restore_video;'
        'restore_video(ImageRestorer(weights=sys.argv[1], device="cpu"), Path(sys.argv[2]),'
        ' Path(sys.argv[3]), VideoOptions(segment_frames=20))'
    )
    words = [sys.executable, '-c', code, str(identity_weights), str(source), str(target)]
    process = subprocess.Popen(words)
    second = tmp_path / '.killed.mp4.restoring' / '000001.mp4'
    while not second.exists() and process.poll() is None:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not target.exists()
    restorer, options = (
        ImageRestorer(weights=str(identity_weights)),
        VideoOptions(segment_frames=20),
    )
    report = restore_video(restorer, source, target, options)
    assert 40 <= report.resumed_at < 200
    assert report.resumed_at % 20 == 0
    restore_video(restorer, source, tmp_path / 'whole.mp4', options)
    assert stream_hash(target, 'v:0') == stream_hash(tmp_path / 'whole.mp4', 'v:0')
    assert np.array_equal(decoded(target), decoded(tmp_path / 'whole.mp4'))
    assert frame_times(target) == frame_times(source)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a.mp4', 'killed.mp4', 'whole.mp4']


@pytest.mark.parametrize('change', ['nothing', 'source', 'options'])
def test_only_the_same_work_goes_on(change: str, identity: ImageRestorer, tmp_path: Path) -> None:
    source, target = make_clip(tmp_path / 'a.mp4'), tmp_path / 'out.mp4'
    with pytest.raises(_Stop):
        restore_video(identity, source, target, SHORT, _stop_at(0.75))
    options = SHORT
    if change == 'source':
        make_clip(source, image=TEST_IMAGE.replace('23', '29'))
    elif change == 'options':
        options = VideoOptions(quality=30, segment_frames=7)
    report = restore_video(identity, source, target, options)
    assert report.resumed_at == (14 if change == 'nothing' else 0)
    assert any('began anew' in note for note in report.notes) is (change != 'nothing')
    assert len(decoded(target)) == 20


def test_held_attention_is_taken_up_again(tmp_path: Path) -> None:
    restorer = ImageRestorer(network=lively(AttentiveGenerator(num_steps=1)), device='cpu')
    source, options = make_clip(tmp_path / 'a.mp4', frames=9), VideoOptions(18, 4, 0.9)
    with pytest.raises(_Stop):
        restore_video(restorer, source, tmp_path / 'out.mp4', options, _stop_at(0.6))
    assert restore_video(restorer, source, tmp_path / 'out.mp4', options).resumed_at == 4
    restore_video(restorer, source, tmp_path / 'whole.mp4', options)
    assert np.array_equal(decoded(tmp_path / 'out.mp4'), decoded(tmp_path / 'whole.mp4'))


@pytest.mark.parametrize('temporal', ['on', 'fast'])
def test_frames_that_wait_for_others_are_taken_up_again(temporal: str, tmp_path: Path) -> None:
    network = lively(AttentiveGenerator(num_steps=1, attention_activation='sigmoid'))
    restorer = ImageRestorer(network=network, device='cpu')
    source = make_clip(tmp_path / 'a.mp4', frames=40)
    options = VideoOptions(segment_frames=15, temporal=temporal)
    with pytest.raises(_Stop):
        restore_video(restorer, source, tmp_path / 'out.mp4', options, _stop_at(0.8))
    report = restore_video(restorer, source, tmp_path / 'out.mp4', options)
    assert (report.resumed_at, report.frames) == (30, 40)
    restore_video(restorer, source, tmp_path / 'whole.mp4', options)
    restore_video(restorer, source, tmp_path / 'off.mp4', VideoOptions(temporal='off'))
    out, whole, off = (decoded(tmp_path / f'{name}.mp4') for name in ('out', 'whole', 'off'))
    assert np.array_equal(out, whole)
    assert len(off) == 40
    assert not np.array_equal(whole, off)
    assert frame_times(tmp_path / 'out.mp4') == frame_times(source)


def test_no_encoder_and_no_half_file_is_left(identity: ImageRestorer, tmp_path: Path) -> None:
    source, target = make_clip(tmp_path / 'a.mp4'), tmp_path / 'out.mp4'
    target.write_bytes(b'old')
    with pytest.raises(_Stop):
        restore_video(identity, source, target, SHORT, _stop_at(0.5))
    assert target.read_bytes() == b'old'
    names = {p.name for p in (tmp_path / '.out.mp4.restoring').iterdir()}
    # The segment in work was begun or not; it gets its name when it is complete.
    names.discard(f'unfinished_{os.getpid()}.mp4')
    assert names == {'000000.mp4', 'frames.json', 'identity.json'}


def test_few_frames_wait_for_a_slow_encoder(
    identity: ImageRestorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, restore = _PipeWriter.write, identity.restore
    restored, written, waiting = [0], [0], [0]

    def write_slowly(self: _PipeWriter, frame: np.ndarray) -> None:
        time.sleep(0.02)
        write(self, frame)
        written[0] += 1

    def restore_counted(*args: Any, **options: Any) -> Any:
        restored[0] += 1
        waiting[0] = max(waiting[0], restored[0] - written[0])
        return restore(*args, **options)

    monkeypatch.setattr(_PipeWriter, 'write', write_slowly)
    monkeypatch.setattr(identity, 'restore', restore_counted)
    source = make_clip(tmp_path / 'a.mp4', frames=60)
    restore_video(identity, source, tmp_path / 'out.mp4', VideoOptions())
    assert written[0] == 60
    assert waiting[0] <= 10


def test_attention_cannot_be_held_by_a_network_without(
    identity: ImageRestorer, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match='--hold-attention'):
        restore_video(
            identity, tmp_path / 'a.mp4', tmp_path / 'o.mp4', VideoOptions(hold_attention=0.5)
        )


@pytest.mark.parametrize('damaged', [False, True])
def test_the_state_of_version_0_1_0_is_resumed(
    damaged: bool, identity: ImageRestorer, tmp_path: Path
) -> None:
    source, target = make_clip(tmp_path / 'a.mp4'), tmp_path / 'out.mp4'
    with pytest.raises(_Stop):
        restore_video(identity, source, target, SHORT, _stop_at(0.75))
    status = source.stat()
    state = {
        'source': str(source.resolve()), 'bytes': status.st_size, 'modified': status.st_mtime_ns,
        'weights': identity.loaded.weights_sha256, 'network': identity.name, 'type': str(identity.dtype),
        'tile': None, 'halo': None,
        'options': {
            'quality': 18, 'segment_frames': 7, 'hold_attention': 0.0, 'measure_flicker': False
        },
        'tool': 'Ffmpeg',
    }  # fmt: skip
    file = tmp_path / '.out.mp4.restoring' / 'identity.json'
    assert json.loads(file.read_text()) == state
    file.write_text(json.dumps(state, indent=2)[: 40 if damaged else None])
    report = restore_video(identity, source, target, SHORT)
    assert report.resumed_at == (0 if damaged else 14)
    assert any('began anew' in note for note in report.notes) is damaged


def test_frames_of_another_kind_of_restoring_are_not_gone_on_with(
    identity: ImageRestorer, tmp_path: Path
) -> None:
    source, target = make_clip(tmp_path / 'a.mp4'), tmp_path / 'out.mp4'
    with pytest.raises(_Stop):
        restore_video(identity, source, target, SHORT, _stop_at(0.75))
    identity.self_ensemble = True
    report = restore_video(identity, source, target, SHORT)
    assert report.resumed_at == 0
