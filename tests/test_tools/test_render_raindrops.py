"""The tool that renders data sets, started, killed and misused as by a user."""

from __future__ import annotations

import hashlib
import json
import re
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from attentive_gan.data_tools.render_journal import JOURNAL
from attentive_gan.image_io import read_image, write_image
from support.runs import REPOSITORY, environment, tool

TOOL = 'dataset_converters/render_raindrops.py'
PAIRS = 30  # enough for a run to be killed in their middle
SCENES = ('--scenes', PAIRS, '--size', '64x48', '--lighting', 'day')


def render(*arguments, code=0):
    done = tool(TOOL, *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert 'Traceback' not in done.stderr
    return re.sub(r'\s+', ' ', done.stdout + done.stderr)


def digests(out):
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob('*'))
        if path.is_file()
    }


def recorded_pairs(out):
    journal = out / JOURNAL
    return journal.read_text().count('\n') - 1 if journal.exists() else 0


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp('whole') / 'set'
    assert f'holds {PAIRS} pairs, {PAIRS} of them new' in render(
        *SCENES, '--out', out, '--workers', 2
    )
    return out


def test_a_second_run_has_nothing_to_do(whole):
    before = digests(whole)
    assert f'complete already ({PAIRS} pairs)' in render(*SCENES, '--out', whole)
    assert digests(whole) == before
    assert read_image(whole / 'contact_sheet.png').shape[1] > 400


def test_killed_and_started_again(whole, tmp_path):
    out = tmp_path / 'out'
    command = [sys.executable, str(REPOSITORY / 'tools' / TOOL), *map(str, SCENES)]
    command += ['--out', str(out), '--workers', '2']
    process = subprocess.Popen(
        command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not recorded_pairs(out) and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / 'manifest.json').exists()
    text = render(*SCENES, '--out', out, '--workers', 1)
    new = int(re.search(rf'holds {PAIRS} pairs, (\d+) of them new', text)[1])
    assert 1 <= new < PAIRS
    assert digests(out) == digests(whole)  # the second run had one worker


def test_options_reach_the_images(tmp_path):
    photo = tmp_path / 'photo.png'
    write_image(photo, np.random.default_rng(0).integers(0, 99, (60, 90, 3), np.uint8))
    file = tmp_path / 'calibration.json'
    file.write_text('{"scales": {"coverage_scale": 1.5, "sky_scale": 0.5, "mist_scale": 2.0}}')
    out = tmp_path / 'out'
    render(
        photo, '--out', out, '--per-photo', 3, '--level', 'light', '--regimes', 'discs=1', 'ghosts=0',
        '--lighting', 'night', '--frame-width', 400, '--size', '45x30', '--calibration', file,
    )  # fmt: skip
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['made_from']['raindrops'] == {
        'level': 'light', 'regimes': {'discs': 1.0, 'ghosts': 0.0}, 'coverage_scale': 1.5,
        'sky_scale': 0.5, 'mist_scale': 2.0, 'lighting': 'night', 'frame_width': 400,
    }  # fmt: skip
    assert [one['parameters']['regime'] for one in manifest['images']] == ['discs'] * 3
    assert {(one['width'], one['height']) for one in manifest['images']} == {(45, 30)}


def test_bad_input_is_named_and_the_rest_rendered(tmp_path):
    write_image(tmp_path / 'good.png', np.full((40, 50, 3), 90, np.uint8))
    (tmp_path / 'bad.jpg').write_bytes(b'no image')
    text = render(tmp_path, '--out', tmp_path / 'out', code=1)
    assert f'fault: {tmp_path / "bad.jpg"} is not an image' in text
    assert 'holds 1 pairs, 1 of them new' in text


def test_a_mistake_is_one_line(tmp_path):
    done = tool(TOOL, tmp_path / 'none', '--out', tmp_path / 'out')
    assert done.returncode == 1
    assert done.stderr.startswith(f'error: {tmp_path / "none"} does not exist')
    assert done.stderr.count('\n') == 1


@pytest.mark.parametrize('words', [(), ('photos', '--scenes', '3'), ('photos', '--size', '9')])
def test_wrong_usage(words, tmp_path):
    done = tool(TOOL, *words, '--out', tmp_path)
    assert done.returncode == 2
    assert 'usage' in done.stderr


def test_a_file_that_cannot_grow_ends_the_run_in_one_line(tmp_path):
    """The limit on file sizes stands for a full disk: writing fails in the middle of a file."""
    random = np.random.default_rng(0)
    for number, size in enumerate([(20, 20), (20, 24), (300, 300)]):
        write_image(tmp_path / f'{number}.png', random.integers(0, 256, (*size, 3), np.uint8))
    command = [sys.executable, str(REPOSITORY / 'tools' / TOOL), str(tmp_path)]
    command += ['--out', str(tmp_path / 'out')]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    done = subprocess.run(
        command, env=environment(PYTHONDONTWRITEBYTECODE='1'), preexec_fn=limit,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(errors) == 1
    assert re.search(r'error: .*2_rain\.png cannot be written \(File too large\)', errors[0])
    names = {name for name in digests(tmp_path / 'out') if name.endswith('.png')}
    assert names == {
        f'{folder}/{number}_{end}.png'
        for folder, end in (('data', 'rain'), ('gt', 'clean'), ('mask', 'mask'), ('alpha', 'alpha'))
        for number in (0, 1)
    }
    assert not list((tmp_path / 'out').rglob('*.tmp'))


def test_calibration_prints_both_sides_and_writes_its_file(whole, tmp_path):
    text = render('--calibrate', whole, '--out', tmp_path, '--level', 'light')
    for words in ('real', 'rendered before', 'rendered after', 'PSNR (dB)', 'brighter share'):
        assert words in text
    record = json.loads((tmp_path / 'calibration.json').read_text())
    assert record['pairs'] == PAIRS
    assert record['options']['level'] == 'light'
    assert f'coverage_scale={record["scales"]["coverage_scale"]}' in text
    assert set(record['statistics']['after']['psnr']) == {'p10', 'p50', 'p90', 'mean'}
