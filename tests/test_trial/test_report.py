"""The results of a trial are rewritten after every phase, whatever happens in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from attentive_gan.errors import UserError
from support.runs import environment
from trial import programs, run_trial, weights
from trial.report import Report


def read(path):
    return json.loads(path.read_text())


def report(tmp_path, phases=('one', 'two'), messages=None):
    messages = [] if messages is None else messages
    return Report(tmp_path / 'results.json', messages.append, {'seconds': 60}, phases)


def test_it_is_rewritten_after_every_phase(tmp_path):
    messages = []
    made = report(tmp_path, messages=messages)
    path = tmp_path / 'results.json'
    assert read(path)['phases'] == {}
    assert set(read(path)) >= {'machine', 'seconds'}

    def work(found):
        assert read(path)['phases']['one']['status'] == 'running'
        found['figure'] = 7

    assert made.phase('one', work)
    assert read(path)['phases']['one'].items() >= {'status': 'done', 'figure': 7}.items()
    assert [line.split('] ')[1] for line in messages] == ['one ...', 'one done']
    assert [file.name for file in tmp_path.iterdir()] == ['results.json']


def test_a_failing_phase_is_noted_with_what_it_found(tmp_path):
    made = report(tmp_path)

    def user_error(found):
        found['figure'] = 7
        raise UserError('the card is asleep')

    def defect(found):
        raise RuntimeError('CUDA error')

    assert not made.phase('one', user_error)
    assert not made.phase('two', defect)
    phases = read(tmp_path / 'results.json')['phases']
    assert phases['one']['error'] == 'the card is asleep'
    assert phases['one']['figure'] == 7
    assert 'traceback' not in phases['one']
    assert phases['two']['error'] == 'RuntimeError: CUDA error'
    assert any('in defect' in line for line in phases['two']['traceback'])


def test_all_phases_run_though_one_fails(make, monkeypatch, tmp_path):
    ran, messages = [], []

    def noted(name, result=None):
        def work(*arguments):
            ran.append(name)
            if isinstance(result, Exception):
                raise result
            if result:
                arguments[1].update(result)

        return work

    monkeypatch.setattr(programs, 'run_tests', noted('tests', UserError('two failed')))
    monkeypatch.setattr(programs, 'run_benchmark', noted('benchmark', OSError('no space')))
    monkeypatch.setattr(programs, 'run_training', noted('train', UserError('cut off')))
    monkeypatch.setattr(weights, 'save_trained', noted('save', {'weights': {'g': 1}}))
    monkeypatch.setattr(weights, 'score_trained', noted('scores'))
    plan = make()
    assert not run_trial(plan, messages.append)
    assert ran == ['tests', 'benchmark', 'train', 'save', 'scores']
    phases = read(plan.out / 'results.json')['phases']
    assert [phase['status'] for phase in phases.values()] == ['failed'] * 3 + ['done']
    assert phases['train']['error'] == 'cut off'
    assert messages[-1].endswith(f'results: {plan.out}')


@pytest.mark.parametrize('saved', [None, UserError('there is no sound checkpoint')])
def test_the_reason_is_that_of_the_training(make, monkeypatch, saved):
    """Not that a training which did not start left no checkpoint; nothing older is scored."""

    def fail(*_):
        raise UserError('no batch fits')

    def save(*_):
        if saved is not None:
            raise saved

    monkeypatch.setattr(programs, 'run_training', fail)
    monkeypatch.setattr(weights, 'save_trained', save)
    plan = make(phases=('train', 'scores'))
    (plan.out / 'generator.safetensors').write_bytes(b'of an older trial')
    assert not run_trial(plan, lambda line: None)
    phases = read(plan.out / 'results.json')['phases']
    assert phases['train']['error'] == 'no batch fits'
    assert phases['scores']['error'] == 'the training left no weights to score'


def test_two_calls_work_as_well_as_one(tmp_path):
    report(tmp_path, ['one', 'two']).phase('one', lambda found: found.update(figure=1))
    second = report(tmp_path, ['two', 'three'])
    second.phase('two', lambda found: found.update(figure=2))
    third = report(tmp_path, ['two'])
    third.phase('two', lambda found: found.update(figure=3))
    found = read(tmp_path / 'results.json')
    assert found['phases']['two']['figure'] == 3
    (earlier,) = found['earlier']
    assert list(earlier['phases']) == ['one']
    assert earlier['phases']['one']['figure'] == 1
    assert {'machine', 'seconds'} <= set(earlier)


@pytest.mark.parametrize('text', ['no json', '[]', '{}', '{"phases": 3}'])
def test_files_of_others_are_not_overwritten(tmp_path, text):
    (tmp_path / 'results.json').write_text(text)
    with pytest.raises(UserError, match=r'results\.json is not of a trial; choose another folder'):
        report(tmp_path)
    assert (tmp_path / 'results.json').read_text() == text


DIES = """
import os, signal, sys, time
from pathlib import Path
from trial.report import Report

report = Report(Path(sys.argv[1]), print, {'seconds': 60}, ['one', 'two'])
report.phase('one', lambda found: found.update(figure=list(range(20_000))))

def work(found):
    found['figure'] = list(range(20_000))
    print('writing', flush=True)
    while True:
        report.write()

report.phase('two', work)
"""


def test_a_kill_leaves_a_whole_file(tmp_path):
    """In the middle of writing, again and again."""
    path = tmp_path / 'results.json'
    process = subprocess.Popen(
        [sys.executable, '-c', DIES, str(path)], stdout=subprocess.PIPE, text=True,
        env=environment(),
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith('writing'):
            break
    for _ in range(20):  # whoever reads while it is written sees a whole file too
        read(path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    phases = read(path)['phases']
    assert phases['one']['status'] == 'done'
    assert phases['two']['status'] == 'running'
    assert len(phases['one']['figure']) == 20_000
