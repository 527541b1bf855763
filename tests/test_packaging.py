"""The wheels carry package, configs and tools, and nothing that belongs to others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from support.runs import REPOSITORY


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy of the tracked files."""
    pytest.importorskip('build')
    root = tmp_path_factory.mktemp('checkout')
    archive = subprocess.run(
        ['git', 'archive', 'HEAD'], cwd=REPOSITORY, capture_output=True, check=False
    )
    if archive.returncode != 0:
        pytest.skip('not in a git checkout')
    subprocess.run(['tar', '-x'], input=archive.stdout, cwd=root, check=True)
    return root


def build(project):
    """Build the wheel of a project."""
    command = [sys.executable, '-m', 'build', '--wheel', '--no-isolation', '--outdir', 'out', '.']
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return zipfile.ZipFile(next((project / 'out').glob('*.whl')))


@pytest.fixture(scope='module')
def wheel(checkout):
    return build(checkout)


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """Folder with the contents of the wheel."""
    folder = tmp_path_factory.mktemp('installed')
    wheel.extractall(folder)
    return folder


def python(code, path, folder, *arguments):
    """Run code with packages of a folder, in another one, and return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, '-c', code, *map(str, arguments)], capture_output=True, text=True,
        check=False, cwd=folder, env={**os.environ, 'PYTHONPATH': str(path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def required(wheel):
    """Return the names of the packages that a wheel requires without extras."""
    metadata = wheel.read(next(n for n in wheel.namelist() if n.endswith('METADATA'))).decode()
    return [
        line.split()[1]
        for line in metadata.splitlines()
        if line.startswith('Requires-Dist') and 'extra' not in line
    ]


def test_wheel_carries_configs_and_tools(wheel):
    names = set(wheel.namelist())
    assert 'attentive_gan/__init__.py' in names
    assert {'drawn_scenes/scenes.py', 'raindrop_renderer/raindrops.py'} <= names
    assert not [name for name in names if name.startswith(('attentive_gan_', 'tests/'))]
    for path in (
        'configs/attgan_raindrop.py',
        'configs/_base_/models/attgan.py',
        'configs/README.md',
        'tools/train.py',
        'tools/dist_train.sh',
        'model-index.yml',
    ):
        assert f'attentive_gan/.mim/{path}' in names
    tracked = {str(p.relative_to(REPOSITORY)) for p in (REPOSITORY / 'configs').rglob('*.py')}
    assert {f'attentive_gan/.mim/{path}' for path in tracked} <= names


def test_wheel_installs_the_commands(wheel):
    name = next(n for n in wheel.namelist() if n.endswith('entry_points.txt'))
    lines = set(wheel.read(name).decode().splitlines())
    assert 'attentive-gan = attentive_gan.cli.main:main' in lines
    assert 'attentive-gan-restore = attentive_gan.cli.restore:console' in lines


def test_wheel_leaves_mmagic_to_the_user(wheel):
    """Its dependency list would bring a hundred packages, and mmcv-lite would replace compiled mmcv."""
    names = required(wheel)
    assert any(name.startswith('torch') for name in names)
    assert not [name for name in names if name.startswith(('mmagic', 'mmcv'))]


#: Renders without torch; prints where the package lies and what the image is.
RENDER = """
import sys
sys.modules['torch'] = None
import numpy as np
import raindrop_renderer
clean = np.full((48, 64, 3), 120, np.uint8)
image = raindrop_renderer.add_raindrops(clean, seed=0)
print(raindrop_renderer.__file__)
print(image.rainy.shape, not np.array_equal(image.rainy, clean))
"""

DRAW = """
import sys
sys.modules['torch'] = None
import drawn_scenes
print(drawn_scenes.__file__)
print(drawn_scenes.draw_scene(0, (48, 64)).shape)
"""


@pytest.mark.parametrize(
    ('name', 'code', 'printed'),
    [('raindrop_renderer', RENDER, '(48, 64, 3) True'), ('drawn_scenes', DRAW, '(48, 64, 3)')],
)
def test_renderer_and_scenes_install_alone(checkout, tmp_path, name, code, printed):
    wheel = build(checkout / 'projects' / name)
    assert [line.partition('>')[0] for line in required(wheel)] == ['numpy', 'opencv-python']
    assert {entry.partition('/')[0] for entry in wheel.namelist()} == {
        name,
        f'{name}-0.1.0.dist-info',
    }
    wheel.extractall(tmp_path)
    file, result = python(code, tmp_path, tmp_path)
    assert file.startswith(str(tmp_path))
    assert result == printed


INHERIT = """
import sys
from pathlib import Path
from attentive_gan.config.reading import load_config
Path('own.py').write_text("_base_ = 'attentive_gan::attgan_raindrop.py'\\ntrain_cfg = dict(max_iters=7)")
config = load_config('own.py')
print(sys.modules['attentive_gan'].__file__)
print(config.model.type, config.train_cfg.max_iters, config.train_dataloader.dataset.type)
"""


@pytest.mark.parametrize('place', ['checkout', 'wheel'])
def test_own_configs_inherit_those_of_the_package(place, installed, tmp_path):
    """From a wheel, and from a checkout that is on the path or installed as editable."""
    path = installed if place == 'wheel' else REPOSITORY / 'projects'
    file, result = python(INHERIT, path, tmp_path)
    assert file.startswith(str(path))
    assert result == 'AttentiveGAN 7 RaindropDataset'


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


def test_an_installed_wheel_restores_without_configs(installed, tmp_path):
    """Shipped weights describe their network, so that nothing beside the package is needed."""
    package = tmp_path / 'attentive_gan'
    shutil.copytree(installed / 'attentive_gan', package, ignore=shutil.ignore_patterns('.mim'))
    code = (
        'import numpy, attentive_gan.inference; print(attentive_gan.__file__);'
        'restorer = attentive_gan.inference.ImageRestorer(device="cpu");'
        'image = numpy.full((21, 34, 3), 128, numpy.uint8);'
        'print(restorer.name, restorer.restore(image).image.shape)'
    )
    file, result = python(code, tmp_path, tmp_path)[-2:]
    assert file.startswith(str(tmp_path))
    assert result == 'attgan_small (21, 34, 3)'
