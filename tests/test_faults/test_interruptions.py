"""A. Crash, save, resume: the end is that of the undisturbed training, bit by bit.

All but A1 use a training without random numbers in network and transforms where the program can do that
(`random=False`), so that they are not about random states again.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
import zipfile

import pytest

PLAIN = {'random': False}


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.fault('A1')
@pytest.mark.parametrize(('iteration', 'workers'), [(1, 0), (3, 2), (5, 0)])
def test_killed_between_iterations(run, whole, tmp_path, iteration, workers):
    killed = run(KILL_AT=iteration, workers=workers)
    assert killed.returncode == -9, killed.stderr
    resumed = run(resume='auto', workers=workers)
    assert resumed.returncode == 0, resumed.stderr
    whole.assert_reached(tmp_path)


@pytest.mark.fault('A2')
@pytest.mark.parametrize('size', [0, 1000])
def test_killed_while_a_checkpoint_is_written(run, whole, tmp_path, size):
    killed = run(KILL_AFTER_BYTES=f'4:{size}', **PLAIN)
    assert killed.returncode == -signal.SIGXFSZ, killed.stderr
    resumed = run(resume=True, **PLAIN)
    assert resumed.returncode == 0, resumed.stderr
    whole.assert_reached(tmp_path, **PLAIN)
    assert not list(tmp_path.glob('.*.tmp*'))


@pytest.mark.fault('A8')
def test_killed_in_a_save_with_one_checkpoint_kept(run, whole, tmp_path):
    killed = run(KILL_AFTER_BYTES='4:1000', keep=1, **PLAIN)
    assert killed.returncode == -signal.SIGXFSZ, killed.stderr
    resumed = run(resume=True, keep=1, **PLAIN)
    assert resumed.returncode == 0, resumed.stderr
    whole.assert_reached(tmp_path, **PLAIN)


@pytest.mark.fault('A3')
@pytest.mark.parametrize(('number', 'code'), [(15, 143), (2, 130)])
def test_signals_save_the_running_iteration(run, whole, tmp_path, number, code):
    stopped = run(SIGNALS_AT=f'3:{number}', **PLAIN)
    assert stopped.returncode == code, stopped.stderr
    assert (tmp_path / 'iter_3.pth').is_file()
    assert 'Traceback' not in stopped.stderr
    resumed = run(resume=True, **PLAIN)
    assert resumed.returncode == 0, resumed.stderr
    whole.assert_reached(tmp_path, **PLAIN)


@pytest.mark.fault('A4')
def test_a_full_disk_while_a_checkpoint_is_written(run, whole, tmp_path):
    assert run(KILL_AT=3, **PLAIN).returncode == -9
    before = (tmp_path / 'iter_2.pth').read_bytes()
    full = run(resume=True, FULL_DISK_AT='4:1000', **PLAIN)
    assert full.returncode > 0
    last = full.stderr.strip().splitlines()[-1]
    assert 'iter_4.pth' in last
    assert 'File too large' in last  # what the system said
    assert 'Traceback' not in full.stderr
    assert 'Logging error' not in full.stderr
    assert (tmp_path / 'iter_2.pth').read_bytes() == before
    assert not {'iter_4.pth'} & names(tmp_path)
    assert not list(tmp_path.glob('.*.tmp*'))
    assert run(resume=True, **PLAIN).returncode == 0
    whole.assert_reached(tmp_path, **PLAIN)


@pytest.fixture(scope='module')
def stopped(target, data, tmp_path_factory):
    """The work_dir of a training that was killed after iteration 5 of 6."""
    work_dir = tmp_path_factory.mktemp('stopped')
    assert target.train(data, work_dir, KILL_AT=5, **PLAIN).returncode == -9
    return work_dir


@pytest.fixture
def goes_on(stopped, run, tmp_path):
    """Return a function that goes on in a copy of that work_dir after a change."""

    def resume(change, **wanted):
        shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
        pointer = tmp_path / 'last_checkpoint'
        if pointer.is_file():
            pointer.write_text(pointer.read_text().replace(str(stopped), str(tmp_path)))
        change(tmp_path)
        return run(resume=True, **{**PLAIN, **wanted})

    return resume


@pytest.mark.fault('A5')
@pytest.mark.parametrize('share', [0, 0.5, 0.999])
def test_the_newest_checkpoint_is_cut_off(goes_on, whole, tmp_path, share):
    def cut(work_dir):
        newest = work_dir / 'iter_4.pth'
        content = newest.read_bytes()
        newest.write_bytes(content[: int(share * len(content))])

    done = goes_on(cut)
    assert done.returncode == 0, done.stderr
    assert 'iter_4.pth' in done.stdout + done.stderr
    whole.assert_reached(tmp_path, **PLAIN)


@pytest.mark.fault('A6')
def test_bits_of_a_tensor_are_flipped(goes_on, whole, tmp_path):
    def flip(work_dir):
        newest = work_dir / 'iter_4.pth'
        content = bytearray(newest.read_bytes())
        with zipfile.ZipFile(newest) as archive:
            largest = max(
                archive.infolist(), key=lambda info: ('/data/' in info.filename, info.file_size)
            )
            payload = archive.read(largest)
        at = content.index(payload) + random.Random(0).randrange(len(payload) - 8)
        content[at : at + 8] = bytes(byte ^ 0x41 for byte in content[at : at + 8])
        newest.write_bytes(content)

    done = goes_on(flip)
    assert done.returncode == 0, done.stderr
    whole.assert_reached(tmp_path, **PLAIN)


@pytest.mark.fault('A7')
@pytest.mark.parametrize('pointer', ['', None, '/nowhere/iter_4.pth', 'iter_4.pth\r\n'])
def test_the_pointer_to_the_last_checkpoint_is_wrong(goes_on, whole, tmp_path, pointer):
    def point(work_dir):
        (work_dir / 'last_checkpoint').unlink()
        if pointer is not None:
            (work_dir / 'last_checkpoint').write_text(pointer)

    done = goes_on(point)
    assert done.returncode == 0, done.stderr
    whole.assert_reached(tmp_path, **PLAIN)


@pytest.mark.fault('A9')
def test_a_work_dir_that_cannot_be_written(target, data, tmp_path):
    (tmp_path / 'file').write_text('')
    done = target.train(data, tmp_path / 'file' / 'work')
    assert done.returncode > 0
    assert 'work' in done.stderr.strip().splitlines()[-1]


@pytest.mark.fault('A10')
def test_two_trainings_in_one_work_dir(target, data, run, tmp_path):
    (first,) = target.start(data, tmp_path, WAIT_AT=3)
    try:
        end = time.monotonic() + 60
        while not (tmp_path / 'iter_2.pth').exists():
            assert time.monotonic() < end, first.output()
            time.sleep(0.1)
        second = run(resume='auto')
        assert second.returncode > 0
        assert str(first.pid) in second.stderr.strip().splitlines()[-1]
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()


@pytest.mark.fault('A11')
def test_another_rate_takes_effect_on_resuming(goes_on, target, whole, tmp_path):
    done = goes_on(lambda _: None, lr=5e-5)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AssertionError):  # a tenth of the rate gives other weights
        whole.assert_reached(tmp_path, **PLAIN)


@pytest.mark.fault('A11')
def test_other_images_are_refused_on_resuming(stopped, target, data, tmp_path):
    others = shutil.copytree(data, tmp_path / 'others')
    for path in (others / 'data' / '4_rain.png', others / 'gt' / '4_clean.png'):
        path.rename(path.with_name(path.name.replace('4', '7')))
    shutil.copytree(stopped, tmp_path / 'work')
    done = target.train(others, tmp_path / 'work', resume=True, **PLAIN)
    assert done.returncode > 0
    assert 'resume' in done.stderr.strip().splitlines()[-1]


@pytest.mark.fault('A12')
def test_killed_in_a_validation(run, whole, tmp_path):
    options = {**PLAIN, 'options': ('default_hooks.checkpoint.rule=less',)}  # the last is the best
    killed = run(KILL_IN_VAL=6, **options)
    assert killed.returncode == -9, killed.stderr
    resumed = run(resume=True, **options)
    assert resumed.returncode == 0, resumed.stderr
    whole.assert_reached(tmp_path, **options)
    best = [name for name in names(tmp_path) if name.startswith('best_')]
    assert [name.endswith('iter_6.pth') for name in best] == [True]
    assert best[0] in names(whole.work_dir(**options))


@pytest.mark.fault('A13')
def test_the_order_of_a_save(run, tmp_path, tmp_path_factory):
    """The new file is flushed and renamed, its folder flushed, before the old one is deleted."""
    spied = tmp_path_factory.mktemp('spy') / 'calls'
    assert run(SPY=spied, keep=1, max_iters=4, val_interval=100, **PLAIN).returncode == 0
    (log,) = spied.parent.iterdir()
    calls = [line.split('\t') for line in log.read_text().splitlines()]
    new, old = str(tmp_path / 'iter_4.pth'), str(tmp_path / 'iter_2.pth')
    renames = [n for n, call in enumerate(calls) if call[0] == 'rename' and call[2] == new]
    assert renames, 'the checkpoint is written in place'
    at = renames[0]
    temporary = calls[at][1]
    opened = next(n for n, call in enumerate(calls) if call == ['open', temporary])
    flushed = next(n for n, call in enumerate(calls) if call == ['fsync', temporary])
    folder = next(n for n, call in enumerate(calls) if n > at and call == ['fsync', str(tmp_path)])
    deleted = next(n for n, call in enumerate(calls) if call == ['remove', old])
    assert opened < flushed < at < folder < deleted


@pytest.mark.fault('A14')
def test_nothing_to_resume_from(run, tmp_path):
    done = run(resume=True)
    assert done.returncode > 0
    assert not list(tmp_path.glob('iter_*.pth'))
