"""The tools for data, started as a user starts them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from attentive_gan.datasets import DrawnDatasetOptions, draw_dataset
from attentive_gan.imaging import read_picture, verify_complete

DRAW = 'tools/dataset_converters/draw_dataset.py'
CHECK = 'tools/dataset_converters/raindrop/check_dataset.py'
BROWSE = 'tools/browse_dataset.py'
SMALL = ('--pairs', 3, '--test-pairs', 2, '--size', 48, 32)


@pytest.fixture(scope='module')
def run(repository):
    def call(tool: str, *arguments: object, code: int = 0) -> str:
        command = [sys.executable, str(repository / tool), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=repository)
        assert done.returncode == code, done.stdout + done.stderr
        assert 'Traceback' not in done.stderr
        return done.stdout + done.stderr

    return call


@pytest.fixture(scope='module')
def drawn(run, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('drawn') / 'set'
    assert 'holds 3 training and 2 test pairs' in run(DRAW, '--out', out, *SMALL)
    return out


@pytest.mark.parametrize('tool', [DRAW, CHECK, BROWSE])
def test_help_needs_no_package(run, tool, repository):
    source = 'import sys; sys.argv = ["x", "--help"]; sys.modules["torch"] = None\n'
    source += f'import runpy; runpy.run_path({str(repository / tool)!r}, run_name="__main__")'
    done = subprocess.run([sys.executable, '-c', source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'usage' in done.stdout


def test_drawing_again_does_nothing_and_says_so(run, drawn):
    times = {file: file.stat().st_mtime_ns for file in drawn.rglob('*.*')}
    assert 'complete already' in run(DRAW, '--out', drawn, *SMALL)
    assert {file: file.stat().st_mtime_ns for file in drawn.rglob('*.*')} == times


def test_another_process_draws_the_same_bytes(drawn, tmp_path):
    assert len(list(draw_dataset(tmp_path, DrawnDatasetOptions(3, 2, 48, 32)))) == 5
    manifests = [(out / 'manifest.json').read_text() for out in (drawn, tmp_path)]
    assert manifests[0] == manifests[1]


@pytest.fixture(scope='module')
def checked(run, drawn, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('checked')
    text = run(CHECK, drawn, '--out', out)
    assert 'pairs: 5' in text
    assert 'no faults' in text
    return out


def test_check_of_a_sound_data_set(checked):
    manifest = json.loads((checked / 'manifest.json').read_text())
    assert len(manifest['pairs']) == manifest['summary']['pairs'] == 5
    assert manifest['pairs'][3]['rainy'] == 'test_a/data/0_rain.png'
    assert verify_complete(checked / 'contact_sheet.png').width > 300


def test_check_lists_faults_and_finds_changes(run, drawn, checked, tmp_path):
    root = shutil.copytree(drawn, tmp_path / 'set')
    (root / 'train' / 'gt' / '2_clean.png').unlink()
    file = root / 'test_a' / 'data' / '1_rain.png'
    file.write_bytes(file.read_bytes()[:-300])
    options = ('--out', tmp_path / 'out', '--manifest', checked / 'manifest.json')
    text = run(CHECK, root, *options, code=1)
    lines = [line for line in text.splitlines() if line.startswith('fault: ')]
    assert len(lines) == 4
    assert sum('2_rain.png' in line or '2_clean.png' in line for line in lines) == 2
    assert sum('1_rain.png' in line for line in lines) == 2
    assert '4 faults' in text


def test_check_of_other_layouts(run, drawn, tmp_path):
    folders = ('--folders', 'data', 'gt', '--templates', '{}_rain', '{}_clean')
    assert 'pairs: 3' in run(CHECK, drawn / 'train', *folders, '--out', tmp_path)


def test_browse_shows_samples_of_the_config(run, drawn, tmp_path):
    options = ('--cfg-options', f'train_dataloader.dataset.data_root={drawn}/train')
    crop = 'train_dataloader.dataset.pipeline.2.crop_size=(32,32)'
    arguments = ('configs/attgan_embedded.py', '-o', tmp_path, '-n', 9, *options, crop)
    text = run(BROWSE, *arguments)
    assert sorted(file.name for file in tmp_path.iterdir()) == ['train_00.png', 'train_01.png']
    assert str(tmp_path / 'train_00.png') in text.replace('\n', '')
    first, second = (read_picture(tmp_path / f'train_0{number}.png') for number in (0, 1))
    assert first.shape[0] > 6 * second.shape[0]
    assert first.std() > 20


def test_browse_names_a_missing_data_set(run, tmp_path):
    option = f'train_dataloader.dataset.data_root={tmp_path}/none'
    text = run(BROWSE, 'configs/attgan_embedded.py', '--cfg-options', option, code=1)
    assert f'error: {tmp_path}/none does not exist' in text
