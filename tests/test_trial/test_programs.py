"""Programs of a trial: ended with all that they started, and what is reported about them."""

from __future__ import annotations

import contextlib
import json
import time

import psutil
import pytest
from attentive_gan.errors import UserError
from trial import programs

#: Starts a child that ignores being interrupted, tells its number, and hangs; itself ignores it, too.
HANGS = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print(child.pid, flush=True)
time.sleep(600)
"""


def wait_for(condition, seconds=30):
    """Wait for something that the operating system does in its own time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def gone(number):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    return True


def stopped(plan, program, log):
    """Run a program that does not end; the limit is longer where it has not even begun."""
    for limit in (2, 10, 60):
        message = rf'stopped after {limit} seconds, its limit \(.*log\)'
        with pytest.raises(UserError, match=message):
            programs.run_program(plan, ['-c', program], log, limit)
        if log.read_text():
            return


def test_a_hanging_program_and_its_children_are_ended(make, tmp_path, monkeypatch):
    monkeypatch.setattr(programs, '_GRACE', 0.5)
    log = tmp_path / 'log'
    stopped(make(), HANGS, log)
    child = int(log.read_text())
    wait_for(lambda: gone(child))


def test_children_that_a_program_leaves_behind_are_ended(make, tmp_path):
    log = tmp_path / 'log'
    leaves = HANGS.replace('time.sleep(600)\n', 'sys.exit(3)\n')
    assert programs.run_program(make(), ['-c', leaves], log, 60) == 3
    child = int(log.read_text())
    wait_for(lambda: gone(child))


def test_a_program_may_end_by_itself_at_its_limit(make, tmp_path):
    log = tmp_path / 'log'
    program = (
        'import time\nprint("begun", flush=True)\n'
        'try: time.sleep(600)\nexcept KeyboardInterrupt: print("saved", flush=True)'
    )
    stopped(make(), program, log)
    assert log.read_text() == 'begun\nsaved\n'


def stand_in(monkeypatch, code, output, figures=None):
    """Replace programs by one that prints and ends; returns the arguments that they got."""
    calls = []

    def run_program(plan, arguments, log, limit):
        calls.append([str(item) for item in arguments])
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
        if figures is not None:
            (log.parent / 'benchmark.json').write_text(json.dumps(figures))
        if isinstance(code, Exception):
            raise code
        return code

    monkeypatch.setattr(programs, 'run_program', run_program)
    return calls


def test_exit_code_and_last_line_are_told(make, monkeypatch):
    stand_in(monkeypatch, -9, 'iteration 3\nerror: the card is on fire\n\n')
    found = {}
    message = r'exit code -9: error: the card is on fire \(.*training\.log\)'
    with pytest.raises(UserError, match=message):
        programs.run_training(make(), 30, 60, found)
    assert found['log'] == ['iteration 3', 'error: the card is on fire', '']
    stand_in(monkeypatch, 1, '')
    with pytest.raises(UserError, match='exit code 1: it printed nothing'):
        programs.run_training(make(), 30, 60, {})


FAILS = """
FAILED tests/test_gpu/test_a.py::test_b[fp16] - AssertionError: 3
ERROR tests/test_gpu/test_c.py::test_d
1 failed, 3 passed, 1 error in 3.20s
"""


@pytest.mark.parametrize('code', [1, UserError('stopped after 8 seconds, its limit')])
def test_failed_tests_are_named_though_time_ran_out(make, monkeypatch, code):
    stand_in(monkeypatch, code, FAILS)
    found = {}
    with pytest.raises(UserError, match=r'1 failed, 3 passed|stopped after'):
        programs.run_tests(make(), found)
    assert found['failed'] == [
        'tests/test_gpu/test_a.py::test_b[fp16]', 'tests/test_gpu/test_c.py::test_d',
    ]  # fmt: skip
    assert found['summary'] == '1 failed, 3 passed, 1 error in 3.20s'
    assert len(found['log']) == 4


def test_figures_of_a_benchmark_that_was_cut_off_are_kept(make, monkeypatch):
    calls = stand_in(monkeypatch, UserError('stopped'), 'copy', dict(rows=[1, 2]))
    found = {}
    with pytest.raises(UserError, match='stopped'):
        programs.run_benchmark(make(), found)
    assert found['figures'] == dict(rows=[1, 2])
    assert calls[0][:4] == ['tools/benchmark.py', '--card', '--device', 'cpu']
    stand_in(monkeypatch, UserError('stopped'), 'nothing yet')
    found = {}
    with pytest.raises(UserError, match='stopped'):
        programs.run_benchmark(make(), found)
    assert 'figures' not in found  # and not those of the trial before


def test_training_on_a_card_is_in_bfloat16_and_as_wide_as_published(make, monkeypatch):
    plan = make(options=('model.ema.momentum=0.01',))
    calls = stand_in(monkeypatch, 0, '')
    programs.run_training(plan, 30, 60, {})
    object.__setattr__(plan, 'device', 'cuda')
    found = {}
    programs.run_training(plan, 30, 60, found)
    assert '--amp' not in calls[0]
    assert 'model.generator.width=0.125' in calls[0]
    assert found['command'] == ' '.join(calls[1])
    expected = ['--amp', 'bfloat16', '--cfg-options', 'model.ema.momentum=0.01']
    assert calls[1][-4:] == expected
    assert calls[1][calls[1].index('--minutes') + 1] == '0.5000'
