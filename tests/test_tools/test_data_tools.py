"""The tools for data, started as a user starts them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from attentive_gan.image_io import read_image, verify_complete
from support.published_layouts import write_raindrop_clarity

RENDER = 'tools/dataset_converters/render_raindrops.py'
CHECK = 'tools/dataset_converters/raindrop/check_dataset.py'
BROWSE = 'tools/browse_dataset.py'
SMALL = ('--size', '48x32', '--lighting', 'day')


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
    for split, count, seed in (('train', 3, 0), ('test_a', 2, 1)):
        options = ('--scenes', count, '--seed', seed, '--out', out / split)
        assert f'holds {count} pairs' in run(RENDER, *options, *SMALL).replace('\n', ' ')
    return out


@pytest.mark.parametrize('tool', [RENDER, CHECK, BROWSE])
def test_help_needs_no_package(run, tool, repository):
    source = 'import sys; sys.argv = ["x", "--help"]; sys.modules["torch"] = None\n'
    source += (
        f'sys.path.insert(0, {str((repository / tool).parent)!r})\n'  # as Python does for a script
    )
    source += f'import runpy; runpy.run_path({str(repository / tool)!r}, run_name="__main__")'
    done = subprocess.run([sys.executable, '-c', source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'usage' in done.stdout


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
    crop = 'train_dataloader.dataset.pipeline.2.crop_size=(32,32)'
    options = ('--cfg-options', f'data_root={drawn}', crop)
    arguments = ('configs/attgan_raindrop.py', '-o', tmp_path, '-n', 9, *options)
    text = run(BROWSE, *arguments)
    assert sorted(file.name for file in tmp_path.iterdir()) == ['train_00.png', 'train_01.png']
    assert str(tmp_path / 'train_00.png') in text.replace('\n', '')
    first, second = (read_image(tmp_path / f'train_0{number}.png') for number in (0, 1))
    assert first.shape[0] > 6 * second.shape[0]
    assert first.std() > 20


def test_browse_shows_data_sets_of_several_folders(run, tmp_path):
    data = write_raindrop_clarity(tmp_path / 'clarity', scenes=1, images=1)
    config = 'configs/nafnet/nafnet_1xb8-100k_raindrop-clarity.py'
    arguments = (config, '--phase', 'test', '-o', tmp_path / 'out', '-n', 2)
    run(BROWSE, *arguments, '--cfg-options', f'data_root={data}')
    assert [file.name for file in (tmp_path / 'out').iterdir()] == ['test_00.png']


def test_browse_names_a_missing_data_set(run, tmp_path):
    option = f'data_root={tmp_path}/none'
    text = run(BROWSE, 'configs/attgan_raindrop.py', '--cfg-options', option, code=1)
    assert f'error: {tmp_path}/none/train does not exist' in text
