"""What a tool says when something goes wrong, and how fast it answers."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from attentive_gan.cli.common import parse_options, run
from attentive_gan.errors import UserError
from support.runs import REPOSITORY, tool

TOOLS = sorted(
    str(path.relative_to(REPOSITORY / 'tools'))
    for path in (REPOSITORY / 'tools').rglob('*.py')
    if path.parent.name not in ('benchmarks', 'trial')
)


def outcome(error, capsys):
    """Run a tool that raises; return exit code and what it printed."""

    def main():
        raise error

    with pytest.raises(SystemExit) as stop:
        run(main)
    return stop.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (UserError('x.png is missing'), 'error: x.png is missing\n'),
        (
            UserError('Caught UserError in DataLoader worker process 0.\nTraceback ...\n'
                      'attentive_gan.errors.UserError: x.png is damaged\n'),
            'error: x.png is damaged\n',
        ),
        (torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB') if hasattr(
            torch, 'OutOfMemoryError') else MemoryError(), 'lower train_dataloader.batch_size'),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 'lower train_dataloader.batch_size'),
        (MemoryError(), 'no memory left on the machine'),
        (ImportError('libGL.so.1: cannot open shared object file'), 'opencv-python-headless'),
        (ImportError('libgthread-2.0.so.0: cannot open'), 'opencv-python-headless'),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(error, message, capsys):
    code, printed = outcome(error, capsys)
    assert code == 1
    assert message in printed
    assert len(printed.splitlines()) == 1


def test_defects_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)


def test_traceback_on_request(monkeypatch):
    monkeypatch.setenv('ATTENTIVE_GAN_TRACEBACK', '1')

    def main():
        raise UserError('x')

    with pytest.raises(UserError):
        run(main)


def test_interruption_has_its_exit_code(capsys):
    assert outcome(KeyboardInterrupt(), capsys)[0] == 130


@pytest.mark.parametrize('name', TOOLS)
def test_help_imports_nothing_heavy(name):
    """So that it answers at once; no timing here, but torch alone takes seconds."""
    code = (
        'import sys, runpy\n'
        f'sys.argv = ["{name}", "--help"]\n'
        'try:\n'
        f'    runpy.run_path("tools/{name}", run_name="__main__")\n'
        'except SystemExit as stop:\n'
        '    assert not stop.code\n'
        'print(sorted({"torch", "mmengine", "numpy", "cv2"} & set(sys.modules)))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 'usage:' in done.stdout
    assert done.stdout.splitlines()[-1] == '[]'


def test_malformed_option_is_named():
    done = tool('train.py', 'configs/attentive_gan/attgan_1xb2-500_drawn.py', '--cfg-options', 'nonsense')
    assert done.returncode == 1
    assert done.stderr == 'error: --cfg-options nonsense: expected FIELD=VALUE\n'


@pytest.mark.parametrize('value', ['[dict(a=1)]', '[dict(a=1,b=2)]', 'dict(a=1)', '{a:1}'])
def test_dicts_are_no_values(value):
    with pytest.raises(SystemExit, match='write a dict into a config'):
        parse_options([f'custom_hooks={value}'])


@pytest.mark.parametrize(
    'name', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh']
)
def test_scripts_explain_themselves(name):
    done = subprocess.run(
        ['bash', f'tools/{name}'], capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    assert done.returncode == 2
    assert 'Usage' in done.stderr or 'bash tools/' in done.stderr


def test_slurm_scripts_pass_everything_on(tmp_path):
    """With a stand-in for srun that prints its arguments."""
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    done = subprocess.run(
        ['bash', 'tools/slurm_train.sh', 'gpu', 'job', 'config.py', 'work', '--amp'],
        capture_output=True, text=True, cwd=REPOSITORY, check=False,
        env={
            'PATH': f'{tmp_path}:/usr/bin:/bin', 'GPUS': '4', 'GPUS_PER_NODE': '4',
            'SRUN_ARGS': '--mem 8G',
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    words = done.stdout.split('\n')
    assert {
        '--ntasks=4',
        '--gres=gpu:4',
        '--mem',
        '8G',
        'config.py',
        '--work-dir=work',
        '--launcher=slurm',
        '--amp',
    } <= set(words)
