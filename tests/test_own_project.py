"""The project of docs/own_project.md, written out and run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.runs import REPOSITORY, environment

BLOCK = re.compile(r'```(\w+)\n(.*?)```', re.DOTALL)


@pytest.fixture(scope='module')
def project(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """Folder with the files of the document, and its other blocks by language."""
    root = tmp_path_factory.mktemp('my_project')
    others: dict[str, str] = {}
    for language, text in BLOCK.findall((REPOSITORY / 'docs' / 'own_project.md').read_text()):
        file = re.match(r'# (\S+\.py)\n', text)
        if file is None:
            others[language] = text
            continue
        (root / file[1]).parent.mkdir(exist_ok=True)
        (root / file[1]).write_text(text)
    return root, others


def run(words: list[str], root: Path) -> str:
    """Run a program in the project, with the command `attentive-gan` of this checkout."""
    command = root / 'bin' / 'attentive-gan'
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m attentive_gan "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join(['.', str(REPOSITORY / 'projects')])
    done = subprocess.run(
        words, cwd=root, capture_output=True, text=True, check=False,
        env={
            **environment(), 'PYTHONPATH': path,
            'PATH': f'{command.parent}{os.pathsep}{os.environ["PATH"]}',
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_train_test_and_restore(project):
    root, others = project
    script = others['bash'].replace('export PYTHONPATH=.', 'true')  # set by `run`
    printed = run(['bash', '-euc', script], root)
    assert 'Iter(val) [4/4]    mine/qian_psnr' in printed
    assert '4 restored' in printed
    assert sorted(path.name for path in (root / 'restored').iterdir()) == [
        f'{number}_rain.png' for number in range(4)
    ]


def test_the_functions_train_and_restore(project):
    root, others = project
    if not (root / 'data' / 'pairs.csv').is_file():
        pytest.skip('the commands of the document have not run')
    run([sys.executable, '-c', others['python']], root)
    assert (root / 'work_dirs' / 'again' / 'iter_4.pth').is_file()
    assert len(list((root / 'restored_again').iterdir())) == 4
