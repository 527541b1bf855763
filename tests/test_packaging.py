"""The wheel carries package, configs and tools, and nothing that belongs to others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from support.runs import REPOSITORY


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Build the wheel from a copy of the tracked files."""
    pytest.importorskip('build')
    root = tmp_path_factory.mktemp('checkout')
    archive = subprocess.run(
        ['git', 'archive', 'HEAD'], cwd=REPOSITORY, capture_output=True, check=False
    )
    if archive.returncode != 0:
        pytest.skip('not in a git checkout')
    subprocess.run(['tar', '-x'], input=archive.stdout, cwd=root, check=True)
    command = [sys.executable, '-m', 'build', '--wheel', '--no-isolation', '--outdir', 'out', '.']
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return zipfile.ZipFile(next((root / 'out').glob('*.whl')))


def test_wheel_carries_configs_and_tools(wheel):
    names = set(wheel.namelist())
    assert 'attentive_gan/__init__.py' in names
    assert 'attentive_gan_cli.py' in names
    for path in (
        'configs/attgan_raindrop.py',
        'configs/_base_/models/attgan.py',
        'tools/train.py',
        'model-index.yml',
    ):
        assert f'attentive_gan/.mim/{path}' in names
    tracked = {str(p.relative_to(REPOSITORY)) for p in (REPOSITORY / 'configs').rglob('*.py')}
    assert {f'attentive_gan/.mim/{path}' for path in tracked} <= names


def test_wheel_leaves_mmagic_to_the_user(wheel):
    """Its dependency list would bring a hundred packages, and mmcv-lite would replace compiled mmcv."""
    metadata = wheel.read(next(n for n in wheel.namelist() if n.endswith('METADATA'))).decode()
    required = [
        line.split()[1]
        for line in metadata.splitlines()
        if line.startswith('Requires-Dist') and 'extra' not in line
    ]
    assert any(name.startswith('torch') for name in required)
    assert not [name for name in required if name.startswith(('mmagic', 'mmcv'))]


def test_no_large_or_foreign_files():
    """Nothing over 2 MiB but our own weights; the only images are golden ones and those in the docs."""
    listed = subprocess.run(
        ['git', 'ls-files', '-z'], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip('not in a git checkout')
    files = [REPOSITORY / name for name in listed.stdout.split('\0') if name]
    large = [f for f in files if f.is_file() and f.stat().st_size > 2 * 2**20]
    assert {f.parent for f in large} <= {REPOSITORY / 'projects' / 'attentive_gan' / 'weights'}
    assert all(f.stat().st_size < 15 * 10**6 for f in large)
    images = {
        f.relative_to(REPOSITORY).as_posix() for f in files if f.suffix in ('.png', '.jpg', '.jpeg')
    }
    # Those in the docs are rendered on drawn scenes (docs/rendering.md tells how).
    allowed = ('tests/golden/', 'docs/images/rendered_')
    assert {name for name in images if not name.startswith(allowed)} == set()


def test_an_installed_wheel_restores_without_configs(wheel, tmp_path):
    """Shipped weights describe their network, so that nothing beside the package is needed."""
    wheel.extractall(tmp_path)
    shutil.rmtree(tmp_path / 'attentive_gan' / '.mim')
    code = (
        'import numpy, attentive_gan.inference; print(attentive_gan.__file__);'
        'restorer = attentive_gan.inference.ImageRestorer(device="cpu");'
        'image = numpy.full((21, 34, 3), 128, numpy.uint8);'
        'print(restorer.name, restorer.restore(image).image.shape)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    file, result = done.stdout.splitlines()[-2:]
    assert file.startswith(str(tmp_path))
    assert result == 'attgan_small (21, 34, 3)'
