"""tools/setup.sh as far as it goes without installing, and tools in a Python without this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.runs import REPOSITORY


def _setup(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ['bash', str(REPOSITORY / 'tools' / 'setup.sh'), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )


@pytest.mark.parametrize('word', ['--help', '-h', 'help'])
def test_help_installs_nothing(word: str, tmp_path: Path) -> None:
    done = _setup(word, ATTENTIVE_GAN_VENV=str(tmp_path / 'venv'))
    assert done.returncode == 0
    assert done.stdout.startswith('usage: bash tools/setup.sh')
    assert '--torch' in done.stdout
    assert not (tmp_path / 'venv').exists()


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [(['develop'], 'unknown argument develop'), (['--torch'], 'needs a KIND'),
     (['--torch', 'gpu'], 'choose here, pypi, cpu')],
)  # fmt: skip
def test_mistyped_arguments_install_nothing(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    done = _setup(*arguments, ATTENTIVE_GAN_VENV=str(tmp_path / 'venv'))
    assert done.returncode == 1
    assert says in done.stderr
    assert not (tmp_path / 'venv').exists()


def test_too_little_disk_space_is_said_before(tmp_path: Path) -> None:
    disk = tmp_path / 'df'
    disk.write_text('#!/bin/sh\necho Filesystem\necho "/dev/x 9000000 8000000 1000000 90% /"\n')
    disk.chmod(0o755)
    venv, path = tmp_path / 'venv', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'
    done = _setup('--torch', 'cpu', PYTHON=sys.executable, PATH=path, ATTENTIVE_GAN_VENV=str(venv))
    assert done.returncode == 1, done.stderr
    assert '1 GB are free' in done.stdout
    assert 'too little disk space' in done.stderr
    assert not venv.exists()


@pytest.mark.parametrize('tool', ['restore.py', 'dataset_converters/render_raindrops.py'])
def test_a_python_without_the_project_is_told_what_to_do(tool: str) -> None:
    # -S: without site-packages
    command = [sys.executable, '-S', str(REPOSITORY / 'tools' / tool), 'photo.jpg']
    variables = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f'error: this Python ({sys.executable}) has no attentive_gan, torch')
    assert 'bin/activate' in line


def test_a_python_without_torch_is_told_what_to_do() -> None:
    command = [sys.executable, '-S', '-m', 'attentive_gan.cli.main', 'restore', 'photo.jpg']
    variables = {**os.environ, 'PYTHONPATH': str(REPOSITORY / 'projects')}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert 'error: this Python' in line


def test_every_tool_says_what_is_missing() -> None:
    for path in sorted((REPOSITORY / 'tools').glob('**/*.py')):
        text = path.read_text()
        if '__main__' in text and path.parent.name not in ('benchmarks', 'trial'):
            assert '\nimport _environment' in text, path
            assert (path.parent / '_environment.py').is_file()
