"""Wet glass is told from dry: thresholds, files, records, exit codes."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from attentive_gan import RaindropDetector, restore
from attentive_gan.cli.main import main
from attentive_gan.errors import UserError
from attentive_gan.image_io import write_image
from attentive_gan.inference import ImageRestorer
from attentive_gan.inference.image_restorer import Restored
from attentive_gan.restoration import BatchOptions
from attentive_gan.restoration.detection import DetectionSettings
from attentive_gan.restoration.detection.files import (
    DetectionOptions,
    detect_files,
    plan_detection,
)
from drawn_scenes.scenes import draw_scene
from PIL import Image
from raindrop_renderer import add_raindrops
from raindrop_renderer.options import RaindropOptions
from support.clips import make_clip
from support.lively_networks import BUILDERS, lively

SIZE = (96, 144)
needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which('ffmpeg') and shutil.which('ffprobe')), reason='ffmpeg is not installed'
)


@dataclass
class MarkedRestorer:
    """Takes every red pixel for a drop, and paints it grey."""

    name: str = 'marked'
    gives_attention: bool = True
    device: torch.device = field(default_factory=lambda: torch.device('cpu'))
    calls: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def loaded(self):
        return self

    weights_sha256 = ''

    def restore(self, image, *, attention=False):
        assert image.dtype == np.uint8
        self.calls.append(image.shape)
        drops = (image[..., 0] > 200) & (image[..., 1] < 60)
        restored = image.copy()
        restored[drops] = 128
        return Restored(restored, drops.astype(np.float32))


def marked(share: float, level: int = 90, size=SIZE):
    """Return an image whose lower rows are red drops."""
    image = np.full((*size, 3), level, np.uint8)
    image[round(size[0] * (1 - share)) :] = (255, 0, 0)
    return image


@pytest.fixture
def detector() -> RaindropDetector:
    return RaindropDetector(MarkedRestorer())


@pytest.fixture(scope='module')
def shipped() -> RaindropDetector:
    return RaindropDetector()


def test_the_area_of_the_drops_is_found(detector):
    found = detector.detect(marked(0.25))
    assert found.mask.shape == SIZE
    assert found.mask.dtype == np.uint8
    assert found.coverage == pytest.approx(0.25, abs=0.02)
    assert found.coverage == (found.mask >= 128).mean()
    assert found.changed == pytest.approx(0.25, abs=0.02)
    assert found.wet
    assert found.mask[-5:].min() > 200
    assert found.mask[:40].max() < 40


def test_large_and_deep_images_are_judged_at_the_working_size(detector):
    small = detector.detect(marked(0.25))
    large = detector.detect(marked(0.25, size=(960, 1440)).astype(np.uint16) * 257)
    assert large.mask.shape == (960, 1440)
    assert large.coverage == pytest.approx(small.coverage, abs=0.02)
    assert detector.restorer.calls == [(*SIZE, 3), (320, 480, 3)]


@pytest.mark.parametrize('size', [(1, 1), (2, 30_000), (700, 1)])
def test_images_of_every_shape(detector, size):
    assert detector.detect(np.full((*size, 3), 90, np.uint8)).mask.shape == size


def test_two_thresholds(detector):
    settings = DetectionSettings(wet_above=0.5, dry_below=0.25, memory=0)
    detector = RaindropDetector(detector.restorer, settings)
    shares = (0.1, 0.4, 0.6, 0.4, 0.3, 0.1, 0.3, 0.45, 0.9)
    wet = [detector.push(marked(share)).wet for share in shares]
    assert wet == [False, False, True, True, True, False, False, False, True]
    assert not detector.detect(marked(0.4)).wet
    detector.reset()
    assert not detector.push(marked(0.4)).wet


def test_a_glimpse_of_a_drop_is_averaged_away(detector):
    """Details of a moving scene that look like drops are elsewhere in each frame; drops stay."""
    detector = RaindropDetector(detector.restorer, DetectionSettings(wet_above=0.02, memory=1))
    frames = []
    for number in range(30):
        frame = np.full((*SIZE, 3), 90, np.uint8)
        frame[20:30, 5 * number % 140 : 5 * number % 140 + 4] = (255, 0, 0)
        frames.append(frame)
    detector.push(marked(0))
    assert not any(detector.push(frame, 0.1).wet for frame in frames)
    wet = [detector.push(marked(0.1), 0.1).wet for _ in range(30)]
    assert wet == sorted(wet)
    assert wet[-1]
    wet = [detector.push(marked(0), 0.1).wet for _ in range(40)]
    assert wet == sorted(wet, reverse=True)
    assert wet[0]
    assert not wet[-1]


def test_the_average_goes_by_time_and_ends_at_a_cut(detector):
    first, second = marked(0.25), marked(0.0)
    detector.push(first)
    assert detector.push(second, 0.001).coverage > 0.2
    detector.reset()
    detector.push(first)
    assert detector.push(second, 60).coverage == 0
    detector.reset()
    detector.push(first)
    assert detector.push(marked(0.0, level=230), 0.001).coverage == 0
    detector.push(first)
    assert detector.push(marked(0.0, size=(48, 72)), 0.001).coverage == 0


@pytest.mark.parametrize(
    ('values', 'name'),
    [
        ({'wet_above': 0}, 'wet_above'),
        ({'wet_above': 1.5}, 'wet_above'),
        ({'wet_above': float('nan')}, 'wet_above'),
        ({'dry_below': 0.9}, 'dry_below'),
        ({'dry_below': -0.1}, 'dry_below'),
        ({'memory': -1}, 'memory'),
    ],
)
def test_settings_are_checked(values, name):
    with pytest.raises(UserError, match=name):
        DetectionSettings(**values)


def test_a_network_without_attention_is_refused(identity):
    with pytest.raises(UserError, match='no attention map'):
        RaindropDetector(identity)


@pytest.mark.parametrize('regime', ['windscreen', 'focused', 'discs'])
def test_the_weights_that_ship_tell_wet_from_dry(shipped, regime):
    clean = draw_scene(77, (240, 360))
    made = add_raindrops(clean, 5, RaindropOptions(level='heavy', regimes={regime: 1.0}))
    wet, dry = shipped.detect(made.rainy), shipped.detect(clean)
    assert (wet.wet, dry.wet) == (True, False)
    assert dry.coverage < 0.01
    covered, found = made.coverage > 127, wet.mask >= 128
    assert (covered & found).sum() / (covered | found).sum() > 0.3
    assert (covered & found).sum() / found.sum() > 2 * covered.mean()


def write_inputs(root: Path) -> Path:
    """Write a wet, a dry and a damaged image."""
    write_image(root / 'wet.png', marked(0.25))
    write_image(root / 'deep' / 'dry.jpg', marked(0))
    (root / 'bad.png').write_bytes(b'no image')
    (root / 'notes.txt').write_text('')
    return root


def test_a_folder_with_masks_and_records(detector, tmp_path):
    root, out = write_inputs(tmp_path / 'in'), tmp_path / 'out'
    log, table = tmp_path / 'log.jsonl', tmp_path / 'log.csv'
    plan = plan_detection([root], out, DetectionOptions(log=log, table=table))
    report = detect_files(plan, detector)
    states = {Path(o.input).name: (o.state, o.details.get('wet')) for o in report.outcomes}
    assert states == {
        'wet.png': ('done', True), 'dry.jpg': ('done', False), 'bad.png': ('failed', None),
    }  # fmt: skip
    assert report.ignored == {'.txt': 1}
    masks = sorted(str(p.relative_to(out)) for p in out.rglob('*') if p.is_file())
    assert masks == ['deep/dry_mask.png', 'wet_mask.png']
    with Image.open(out / 'wet_mask.png') as mask:
        assert (mask.mode, mask.size) == ('L', SIZE[::-1])
        share = (np.asarray(mask) >= 128).mean()
        verdict = json.loads(mask.text['Raindrops'])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (wet,) = (line for line in lines if line['source'].endswith('wet.png'))
    assert wet['details']['coverage'] == pytest.approx(share, abs=1e-4) == verdict['coverage']
    assert (wet['network'], wet['state'], wet['details']['wet']) == ('marked', 'done', True)
    rows = list(csv.DictReader(table.open()))
    assert [(Path(row['source']).name, row['frame'], row['wet']) for row in rows] == [
        ('wet.png', '', '1'), ('dry.jpg', '', '0'),
    ]  # fmt: skip


def test_existing_masks(detector, tmp_path):
    source = tmp_path / 'wet.png'
    write_image(source, marked(0.25))
    out = tmp_path / 'out'
    detect_files(plan_detection([source], out, DetectionOptions()), detector)
    with pytest.raises(UserError, match='--skip-existing'):
        plan_detection([source], out, DetectionOptions())
    calls = len(detector.restorer.calls)
    plan = plan_detection([source], out, DetectionOptions(existing='skip'))
    (outcome,) = detect_files(plan, detector).outcomes
    assert (outcome.state, outcome.details['wet']) == ('skipped', True)
    assert len(detector.restorer.calls) == calls
    write_image(out / 'wet_mask.png', np.zeros(SIZE, np.uint8))  # of another program
    (outcome,) = detect_files(plan, detector).outcomes
    assert outcome.state == 'failed'
    assert 'tells no verdict' in outcome.reason
    detect_files(plan_detection([source], out, DetectionOptions(existing='overwrite')), detector)
    (outcome,) = detect_files(plan, detector).outcomes
    assert outcome.state == 'skipped'


def test_names_of_masks_are_checked(detector, tmp_path):
    write_image(tmp_path / 'a.png', marked(0))
    write_image(tmp_path / 'a.bmp', marked(0))
    (tmp_path / 'clip.mp4').write_bytes(b'')
    with pytest.raises(UserError, match='would both become'):
        plan_detection([tmp_path], tmp_path / 'out', DetectionOptions())
    with pytest.raises(UserError, match='PNG'):
        plan_detection([tmp_path / 'a.png'], tmp_path / 'm.jpg', DetectionOptions())
    with pytest.raises(UserError, match='would replace its source'):
        plan_detection([tmp_path / 'a.png'], tmp_path, DetectionOptions(suffix=''))
    plan = plan_detection([tmp_path / 'clip.mp4'], tmp_path / 'm.png', DetectionOptions())
    assert [job.mask for job in plan.jobs] == [tmp_path / 'm.png']


def test_masks_beside_the_images_are_no_inputs(detector, tmp_path):
    write_image(tmp_path / 'a.png', marked(0))
    detect_files(plan_detection([tmp_path], tmp_path, DetectionOptions()), detector)
    assert (tmp_path / 'a_mask.png').is_file()
    for out in (None, tmp_path):
        plan = plan_detection([tmp_path], out, DetectionOptions(existing='overwrite'))
        assert [job.input.path.name for job in plan.jobs] == ['a.png']


def write_clip(path: Path, shares) -> Path:
    """Write a video by OpenCV, without loss, 10 frames a second."""
    code = cv2.VideoWriter.fourcc(*'FFV1')
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 10.0, SIZE[::-1])
    for share in shares:
        writer.write(marked(share)[..., ::-1])
    writer.release()
    return path


def test_a_video_frame_by_frame(detector, tmp_path):
    source = write_clip(tmp_path / 'clip.avi', [0.0] * 5 + [0.5] * 15)  # so much red is a cut
    log, table = tmp_path / 'log.jsonl', tmp_path / 'log.csv'
    plan = plan_detection([source], tmp_path / 'm.png', DetectionOptions(log=log, table=table))
    (outcome,) = detect_files(plan, detector).outcomes
    details = outcome.details
    assert (details['frames'], details['judged_frames'], details['wet']) == (20, 20, True)
    *frames, last = (json.loads(line) for line in log.read_text().splitlines())
    assert last['details'] == details
    assert [row['frame'] for row in frames] == list(range(20))
    assert [row['seconds'] for row in frames] == pytest.approx(np.arange(20) / 10)
    wet = [row['wet'] for row in frames]
    assert wet == sorted(wet)
    assert wet[4:] == [False] + [True] * 15
    assert details['wet_share'] == 0.75
    coverage = [row['coverage'] for row in frames]
    assert details['coverage'] == pytest.approx(np.mean(coverage), abs=1e-4)
    assert details['largest_coverage'] == max(coverage)
    assert len(list(csv.DictReader(table.open()))) == 20
    mask = np.asarray(Image.open(tmp_path / 'm.png')).astype(float)
    assert mask.shape == SIZE
    assert mask[-5:].mean() > 100
    assert mask[:40].mean() < 20


@pytest.mark.parametrize('suffix', ['.gif', '.png', '.webp'])
def test_an_animation_is_judged_like_a_video(detector, tmp_path, suffix):
    source, table = tmp_path / f'clip{suffix}', tmp_path / 'log.csv'
    frames = [Image.fromarray(marked(share)) for share in (0.0, 0.5, 0.6)]
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=200, lossless=True)
    plan = plan_detection([source], tmp_path / 'm.png', DetectionOptions(table=table))
    (outcome,) = detect_files(plan, detector).outcomes
    assert outcome.state == 'done', outcome.reason
    assert (outcome.details['frames'], outcome.details['wet']) == (3, True)
    rows = list(csv.DictReader(table.open()))
    assert [(row['seconds'], row['wet']) for row in rows] == [
        ('0.0', '0'), ('0.2', '1'), ('0.4', '1'),
    ]  # fmt: skip
    assert Image.open(tmp_path / 'm.png').size == SIZE[::-1]


def test_a_video_that_cannot_be_read_is_named(detector, tmp_path):
    (tmp_path / 'bad.mp4').write_bytes(b'no video')
    plan = plan_detection([tmp_path / 'bad.mp4'], None, DetectionOptions())
    (outcome,) = detect_files(plan, detector).outcomes
    assert outcome.state == 'failed'
    assert 'bad.mp4' in outcome.reason


def test_an_interrupt_ends_the_work(detector, tmp_path, monkeypatch):
    for number in range(3):
        write_image(tmp_path / f'{number}.png', marked(0))

    def stop(image):
        raise KeyboardInterrupt

    monkeypatch.setattr(detector, 'detect', stop)
    report = detect_files(plan_detection([tmp_path], None, DetectionOptions()), detector)
    assert report.interrupted
    assert not report.of('done')


@needs_ffmpeg
def test_the_log_of_a_restored_video_tells_the_wetness(tmp_path):
    source, log = make_clip(tmp_path / 'a.mp4', frames=20), tmp_path / 'log.jsonl'
    network = ImageRestorer(network=lively(BUILDERS['attentive']()))
    restore(source, tmp_path / 'b.mp4', BatchOptions(log=log), restorer=network)
    wetness = json.loads(log.read_text())['details']['wetness']
    # 30000/1001 frames a second: frames 0, 8 and 16 are a quarter of a second apart.
    assert wetness['judged_frames'] == 3
    detector, found = RaindropDetector(network), []
    capture = cv2.VideoCapture(str(source))
    for number in range(20):
        frame = capture.read()[1][..., ::-1]
        if number % 8 == 0:
            found.append(detector.push(np.ascontiguousarray(frame), 8 * 1001 / 30000))
    assert wetness['wet'] is any(f.wet for f in found)
    assert wetness['coverage'] == pytest.approx(np.mean([f.coverage for f in found]), abs=0.02)


def run_main(monkeypatch, *words: object) -> int:
    """Run the command in this process; return its exit code."""
    monkeypatch.setattr(sys, 'argv', ['attentive-gan', *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def test_exit_codes(monkeypatch, tmp_path, capsys):
    clean = draw_scene(77, (160, 240))
    heavy = RaindropOptions(level='heavy', regimes={'windscreen': 1.0})
    dry, wet = tmp_path / 'dry.png', tmp_path / 'wet.png'
    write_image(dry, clean)
    write_image(wet, add_raindrops(clean, 5, heavy).rainy)
    bad = tmp_path / 'bad.png'
    bad.write_bytes(b'')
    assert run_main(monkeypatch, 'detect', wet) == 0
    assert capsys.readouterr().out.startswith(f'{wet}: wet, ')
    assert run_main(monkeypatch, 'detect', dry) == 1
    assert capsys.readouterr().out == f'{dry}: dry, 0.0 % covered\n'
    assert run_main(monkeypatch, 'detect', dry, wet, '--quiet') == 0
    assert capsys.readouterr() == ('', '')
    assert run_main(monkeypatch, 'detect', wet, bad, '--quiet') == 2
    assert 'bad.png' in capsys.readouterr().err
    assert run_main(monkeypatch, 'detect', tmp_path / 'missing.png') == 2
    assert run_main(monkeypatch, 'detect') == 2
    assert run_main(monkeypatch, 'detect', dry, '--wet-above', '7') == 2
    assert 'wet_above (7)' in capsys.readouterr().err


def test_a_defect_does_not_look_like_dry_glass(monkeypatch, tmp_path, capsys):
    def defect(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr('attentive_gan.restoration.detection.files.plan_detection', defect)
    assert run_main(monkeypatch, 'detect', tmp_path) == 2
    assert 'ZeroDivisionError' in capsys.readouterr().err


@pytest.mark.parametrize('kind', [float, int, bool])
def test_frames_of_other_types_are_refused(detector, kind):
    frame = np.full((32, 48, 3), 90).astype(kind)
    for judge in (detector.detect, detector.push):
        with pytest.raises(ValueError, match=f'uint8 or uint16; got {frame.dtype}'):
            judge(frame)


def test_times_that_are_no_numbers_are_refused_and_a_clock_may_be_set_back(detector):
    wet = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    before = detector.push(wet).coverage
    with pytest.raises(ValueError, match='seconds must be finite; got nan'):
        detector.push(wet, seconds=float('nan'))
    assert detector.push(np.full_like(wet, 128) // 2 + wet // 2, seconds=-5).coverage == before
    detector.reset()
