"""Cameras and network streams: the newest frame counts, and every end leaves a whole file."""

from __future__ import annotations

import json
import queue
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from attentive_gan import RaindropDetector
from attentive_gan.cli.main import main
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration import BatchOptions, LiveSource, plan_batch, restore_live
from attentive_gan.restoration.detection.live import detect_live
from attentive_gan.restoration.detection.records import Records
from attentive_gan.restoration.video import live_restoring, live_source
from attentive_gan.restoration.video.encoders import encoders
from attentive_gan.utils.appended_file import AppendedFile
from support.clips import decoded, frame_times
from support.lively_networks import BUILDERS, lively
from support.mjpeg_server import mjpeg_server
from support.runs import REPOSITORY, environment

needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='ffmpeg is not installed'
)
#: Seconds that a thread or a process may take; it takes a fraction.
PATIENCE = 120


def image(level: int, size: tuple[int, int] = (8, 12)) -> np.ndarray:
    return np.full((*size, 3), level, np.uint8)


class FakeCapture:
    """Gives frames when the test puts them; None ends it."""

    def __init__(self, *frames: np.ndarray | None) -> None:
        self.frames: queue.Queue[np.ndarray | None] = queue.Queue()
        for frame in frames:
            self.frames.put(frame)
        self.released = False
        self.seconds = 0.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        frame = self.frames.get()
        time.sleep(self.seconds)
        return frame is not None, frame

    def release(self) -> None:
        self.released = True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeCapture]:
    """Return a function that makes a capture, which any address then opens."""

    def make(*frames: np.ndarray | None) -> FakeCapture:
        capture = FakeCapture(*frames)
        monkeypatch.setattr(live_source, 'open_capture', lambda *_: capture)
        return capture

    return make


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_late_frames_are_dropped_but_the_newest(fake) -> None:
    capture = fake(image(1))
    with LiveSource('camera:0') as source:
        frames = source.frames()
        levels = [next(frames).image[0, 0, 0]]
        for level in (2, 3, 4, 5):
            capture.frames.put(image(level))
        wait_for(lambda: source.read == 5)
        levels.append(next(frames).image[0, 0, 0])
        capture.frames.put(image(6))
        wait_for(lambda: source.read == 6)
        capture.frames.put(None)
        levels += [frame.image[0, 0, 0] for frame in frames]
    assert levels == [1, 5, 6]
    assert (source.dropped, source.ended) == (3, 'the stream ended')
    assert capture.released


def test_frames_are_rgb_with_rising_times(fake) -> None:
    blue = np.zeros((8, 12, 3), np.uint8)
    blue[..., 0] = 200  # OpenCV's first colour
    capture = fake(blue)
    with LiveSource('camera:0') as source:
        frames = source.frames()
        first = next(frames)
        capture.frames.put(blue)
        second = next(frames)
        capture.frames.put(None)
    assert first.image[0, 0].tolist() == [0, 0, 200]
    assert 0 <= first.seconds < second.seconds


def test_a_stop_ends_it_at_once(fake) -> None:
    capture = fake(image(1))
    with LiveSource('camera:0') as source:
        frames = source.frames()
        next(frames)
        capture.frames.put(image(2))
        wait_for(lambda: source.read == 2)
        source.stop()
        assert list(frames) == []
        capture.frames.put(image(3))  # the read that is under way
    assert source.ended == 'stopped'


def test_every_end_is_named(fake) -> None:
    fake(image(1), image(2, (10, 12)))
    with LiveSource('camera:0') as source:
        assert len(list(source.frames())) == 1
    assert source.ended == 'the size of the frames changed to 12x10'
    slow = fake(image(1), None)
    slow.seconds = 0.2
    with LiveSource('camera:0', timeout=0.05) as source:
        assert len(list(source.frames())) == 1
    assert source.ended.startswith('no frame came for')


def test_what_cannot_be_used_is_refused(fake) -> None:
    fake(None)
    with pytest.raises(UserError, match='gives no frame'), LiveSource('camera:0'):
        pass
    capture = fake(image(1))
    with pytest.raises(UserError, match='too large'), LiveSource('camera:0', max_pixels=50):
        pass
    assert capture.released


def test_an_address_that_does_not_answer_is_named_without_its_password() -> None:
    address = 'http://admin:secret@127.0.0.1:9/stream.mjpg'
    with pytest.raises(UserError, match='cannot be opened') as error, LiveSource(address):
        pass
    assert 'http://127.0.0.1:9/stream.mjpg' in str(error.value)
    assert 'secret' not in str(error.value)


@pytest.mark.parametrize(
    ('argument', 'message'),
    [
        ('https://me:secret@example.com/photo.jpg', 'Download it'),
        ('https://example.com/clip.mp4?id=3', 'Download it'),
        ('ftp://example.com/photo.jpg', 'addresses that begin with ftp'),
        ('file:///tmp/clip.mp4', 'addresses that begin with file'),
        ('s3://bucket/photo.jpg', 'addresses that begin with s3'),
        ('RTSP://me:secret@example.com/clip.mp4', 'only input'),
        ('camera:0', 'only input'),
    ],
)
def test_addresses_among_files(argument: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message) as error:
        plan_batch([argument, tmp_path], tmp_path / 'out', BatchOptions())
    assert 'secret' not in str(error.value)


@pytest.mark.parametrize('address', ['https://example.com/a.PNG', 'http://example.com/a.mkv'])
def test_files_are_not_read_from_addresses(address: str) -> None:
    with pytest.raises(UserError, match='Download it'), LiveSource(address):
        pass


@needs_ffmpeg
@pytest.mark.parametrize('ending', ['.mp4', '.mkv', '.webm'])
def test_a_network_stream_becomes_a_video(
    identity: ImageRestorer, tmp_path: Path, ending: str
) -> None:
    if ending == '.webm' and 'libvpx-vp9' not in encoders():
        pytest.skip('this ffmpeg has no libvpx-vp9')
    output, seen = tmp_path / f'live{ending}', []
    with mjpeg_server(30) as address, LiveSource(address) as source:
        report = restore_live(
            identity, source, output, progress=lambda frames, seconds: seen.append(seconds)
        )
    assert report.ended == 'the stream ended'
    assert report.frames + report.dropped == 30
    assert report.frames == len(seen) >= 1
    assert (report.width, report.height) == (48, 32)
    assert decoded(output).shape == (report.frames, 32, 48, 3)
    if report.frames > 1:
        times = np.array(frame_times(output))
        assert np.allclose(times - times[0], np.array(seen), atol=0.003 * len(seen))
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


@needs_ffmpeg
def test_frames_of_a_fake_camera_are_restored_with_earlier_ones(fake, tmp_path: Path) -> None:
    """The file has the network's frames, at their times; the wetness is told."""
    network = ImageRestorer(network=lively(BUILDERS['attentive']()))
    capture = fake(image(60, (32, 48)))

    def more(frames: int, seconds: float) -> None:
        capture.frames.put(image(60 + 20 * frames, (32, 48)) if frames < 4 else None)

    with LiveSource('camera:0') as source:
        options = live_restoring.VideoOptions(tell_wet=True)
        report = restore_live(network, source, tmp_path / 'a.mp4', options, more)
    assert (report.frames, report.dropped) == (4, 0)
    assert report.wetness is not None
    assert 1 <= report.wetness.judged_frames <= 4
    assert len(decoded(tmp_path / 'a.mp4')) == 4


@needs_ffmpeg
def test_nothing_is_written_without_a_frame(fake, identity: ImageRestorer, tmp_path: Path) -> None:
    capture = fake(image(1, (32, 48)))
    with LiveSource('camera:0') as source:
        source.stop()
        capture.frames.put(None)  # the read that is under way
        with pytest.raises(UserError, match='nothing was written'):
            restore_live(identity, source, tmp_path / 'a.mp4')
    assert not list(tmp_path.iterdir())


def test_live_video_needs_ffmpeg(
    fake, identity: ImageRestorer, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(live_restoring, 'ffmpeg_is_installed', lambda: False)
    fake(image(1), None)
    with LiveSource('camera:0') as source, pytest.raises(UserError, match='install ffmpeg'):
        restore_live(identity, source, tmp_path / 'a.mp4')


def test_detection_in_a_network_stream(tmp_path: Path) -> None:
    detector = RaindropDetector(ImageRestorer(network=lively(BUILDERS['attentive']())))
    log, mask = tmp_path / 'log.jsonl', tmp_path / 'mask.png'
    with (
        mjpeg_server(15) as address,
        LiveSource(address) as source,
        AppendedFile(log) as lines,
        AppendedFile(None) as table,
    ):
        details = detect_live(detector, source, Records(lines, table), mask)
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(rows) == details['judged_frames'] >= 1
    assert details['judged_frames'] + details['dropped'] == 15
    assert details['ended'] == 'the stream ended'
    assert [row['frame'] for row in rows] == list(range(len(rows)))
    assert {row['source'] for row in rows} == {address}
    assert cv2.imread(str(mask), cv2.IMREAD_UNCHANGED).shape == (32, 48)


@needs_ffmpeg
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_completes_the_file(
    number: signal.Signals, identity_weights: Path, tmp_path: Path
) -> None:
    output = tmp_path / 'live.mp4'
    with mjpeg_server(None) as address:
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / 'tools' / 'restore.py'), address, '-o', str(output),
             '--weights', str(identity_weights), '--log', str(tmp_path / 'log.jsonl')],
            env=environment(), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        assert 'Ctrl-C' in first
        assert '1 frames restored' in process.stdout.readline()
        process.send_signal(number)
        printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert '(stopped)' in printed
    details = json.loads((tmp_path / 'log.jsonl').read_text())['details']
    assert len(decoded(output)) == details['frames'] >= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ['live.mp4', 'log.jsonl']


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['restore', 'camera:0'], 'name of a video file'),
        (['restore', 'camera:0', '-o', 'a.png'], 'live video is written as'),
        (['restore', 'camera:0', '-o', 'there.mp4'], 'exists already'),
        (['restore', 'camera:0', '-o', 'a.mp4', '--attention'], '--attention is not for live'),
        (['restore', 'camera:0', '-o', 'a.mp4', '--shard', '1/2'], '--shard is not for live'),
        (['detect', 'camera:0', '-o', 'out'], '.png file'),
        (['detect', 'camera:0', '-o', 'there.png'], 'exists already'),
    ],
)
def test_options_of_live_input(
    words: list[str], message: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    if 'video' in message and not shutil.which('ffmpeg'):
        pytest.skip('ffmpeg is not installed')
    monkeypatch.chdir(tmp_path)
    for name in ('there.mp4', 'there.png'):
        Path(name).write_bytes(b'')
    monkeypatch.setattr(sys, 'argv', ['attentive-gan', *words])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == (2 if words[0] == 'detect' else 1)
    assert message in capsys.readouterr().err
