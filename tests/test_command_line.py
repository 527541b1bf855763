"""The command and the tools: help, exit codes, and what they print when something goes wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from attentive_gan.cli.common import parse_options, run
from attentive_gan.cli.main import COMMANDS
from attentive_gan.errors import UserError
from support.runs import REPOSITORY, environment, tool

TOOLS = sorted(
    str(path.relative_to(REPOSITORY / 'tools'))
    for path in (REPOSITORY / 'tools').rglob('*.py')
    if path.parent.name not in ('benchmarks', 'trial') and path.name[0] != '_'
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


def test_output_that_nobody_reads_is_no_defect():
    code = """
from attentive_gan.cli.common import echo, run
def main():
    while True:
        echo('a line')
run(main, 2)
"""
    process = subprocess.Popen(
        [sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(),
    )  # fmt: skip
    assert process.stdout.readline() == 'a line\n'
    process.stdout.close()
    assert process.stderr.read() == ''
    assert process.wait(timeout=120) == 141


@pytest.mark.parametrize(('code', 'expected'), [(1, 1), (2, 2)])
def test_errors_have_the_exit_code_of_the_command(code, expected, capsys):
    def main():
        raise UserError('x is missing')

    with pytest.raises(SystemExit) as stop:
        run(main, code)
    assert stop.value.code == expected
    assert capsys.readouterr().err == 'error: x is missing\n'


#: Runs a program whose arguments are --help; prints which heavy packages and commands it imported.
HELP = """
import sys, runpy
try:
    {program}
except SystemExit as stop:
    assert not stop.code
commands = [name for name in sys.modules if name.startswith('attentive_gan.cli.')]
print(*sorted({{'torch', 'mmengine', 'numpy', 'cv2', 'rich'}} & set(sys.modules)))
print(*sorted(name.rpartition('.')[2] for name in commands))
"""


def help_of(program: str, *words: str) -> list[str]:
    """Return the lines that a program prints with --help, and those of `HELP`."""
    done = subprocess.run(
        [sys.executable, '-c', HELP.format(program=program), *words, '--help'],
        capture_output=True, text=True, cwd=REPOSITORY, env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'usage:' in done.stdout
    return done.stdout.splitlines()


@pytest.mark.parametrize('name', TOOLS)
def test_help_imports_nothing_heavy(name):
    """So that it answers at once; no timing here, but torch alone takes seconds."""
    lines = help_of(f'runpy.run_path("tools/{name}", run_name="__main__")')
    assert lines[-2] == ''


MAIN = 'import attentive_gan.cli.main as program; program.main()'


@pytest.mark.parametrize('name', COMMANDS)
def test_a_command_imports_its_own_module_only(name):
    lines = help_of(MAIN, name)
    assert lines[0].startswith(f'usage: attentive-gan {name} ')
    assert lines[-2] == ''
    assert set(lines[-1].split()) & set(COMMANDS) == {name}


def test_the_command_lists_its_commands():
    lines = help_of(MAIN)
    assert lines[-2] == ''
    assert set(lines[-1].split()) == {'common', 'main'}
    text = ' '.join(' '.join(lines).split())
    assert all(f' {name} {summary} ' in text for name, summary in COMMANDS.items())


@pytest.mark.parametrize(
    ('words', 'code', 'text'),
    [
        (['--version'], 0, 'attentive-gan 0.1.0'),
        ([], 2, 'required: COMMAND'),
        (['trian'], 2, "invalid choice: 'trian'"),
        (['train'], 2, 'required: config'),
        (['train', 'nowhere.py'], 1, 'error: config not found: nowhere.py'),
        (['render', '--out', 'x'], 2, 'name a folder of photos, or give --scenes N'),
        (['export', '-', '-', '-o', 'net.xyz'], 1, 'end the name in one of .onnx, .pt2'),
    ],
)
def test_the_command_exits_with_the_code_of_its_work(words, code, text, tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'attentive_gan', *words],
        capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert text in done.stdout + done.stderr
    assert 'Traceback' not in done.stderr


#: A thread that works on tensors aborts an interpreter that is finalized, as one of gloo's can.
IN_A_GROUP = """
import atexit, sys, threading, torch
from attentive_gan.cli.common import run
from attentive_gan.errors import UserError
def work():
    value = torch.ones(3, 3, requires_grad=True)
    while True:
        (value @ value).sum().backward()
def main():
    torch.distributed.init_process_group('gloo', f'file://{sys.argv[1]}', rank=0, world_size=1)
    threading.Thread(target=work, daemon=True).start()
    atexit.register(print, 'closed')
    print('done')
    if sys.argv[2] == '1':
        raise UserError('x.png is missing')
run(main)
"""


@pytest.mark.parametrize('code', [0, 1])
def test_processes_of_a_group_exit_whatever_their_threads_do(code, tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', IN_A_GROUP, str(tmp_path / 'store'), str(code)],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert done.stdout == 'done\nclosed\n'
    assert 'terminate called' not in done.stderr
    assert ('error: x.png is missing' in done.stderr) == bool(code)


def test_malformed_option_is_named():
    done = tool(
        'train.py', 'configs/attentive_gan/attgan_1xb2-500_drawn.py', '--cfg-options', 'nonsense'
    )
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


def test_options_keep_blanks_in_texts() -> None:
    """A path of a data set may have blanks; those beside commas and brackets mean nothing."""
    pairs = [
        'a=/my  pairs/b c',
        'b=[/x y/z, 2]',
        'c=( 1, 2 )',
        'd= 3 ',
        'e="in quotes"',
        'f=[(1, 2), [a b]]',
    ]
    assert parse_options(pairs) == {
        'a': '/my  pairs/b c', 'b': ['/x y/z', 2], 'c': (1, 2), 'd': 3, 'e': 'in quotes',
        'f': [(1, 2), ['a b']],
    }  # fmt: skip
