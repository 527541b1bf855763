"""The benchmark of a device: failures are reported and the rest goes on; time limits hold."""

from __future__ import annotations

import signal
import time

import attentive_gan.registration  # noqa: F401
import pytest
import torch
from attentive_gan.inference.precision import use_tf32
from benchmarks import card_benchmark
from benchmarks.card_benchmark import benchmark_device
from benchmarks.card_plan import Copy, Inference, MatrixProduct, TrainingStep, full_plan, small_plan
from benchmarks.card_table import line
from benchmarks.time_limit import TimeIsUp, time_limit
from benchmarks.training_speed import count_flops, random_batch, training_step
from mmengine.config import Config

CPU = torch.device('cpu')


@pytest.fixture(scope='module')
def model(repository):
    config = Config.fromfile(str(repository / 'configs/_base_/models/attgan.py')).model.to_dict()
    config['generator']['num_steps'] = 1
    return config


def run(model, plan, seconds=60.0):
    seen = []
    results = benchmark_device(CPU, model, seconds, seen.append, plan=plan)
    assert seen == results
    return results[1:]


def test_an_entry_that_fails_does_not_end_the_others(model, monkeypatch):
    def too_large(*_):
        raise torch.cuda.OutOfMemoryError('CUDA out of memory.\nTried to allocate 1 GiB')

    monkeypatch.setattr(card_benchmark._Bench, '_inference', too_large)
    monkeypatch.setattr(card_benchmark, 'copy_rate', lambda *_: 1 / 0)
    plan = [Inference('attentive', 16, 16, 1, 'fp32'), Copy(64), MatrixProduct('fp32', 16)]
    large, failed, product = run(model, plan)
    assert (large['status'], large['reason']) == ('out of memory', 'CUDA out of memory.')
    assert (failed['status'], failed['reason'][:18]) == ('failed', 'ZeroDivisionError:')
    assert product['status'] == 'ok'
    assert product['tflops'] > 0
    assert all(line(result) for result in (large, failed, product))


def test_what_finds_no_time_is_told(model):
    compiled = Inference('attentive', 16, 16, 1, 'fp32', compiled=True)
    results = run(model, [compiled, Copy(64)], seconds=card_benchmark.NEEDED_TO_COMPILE - 1)
    assert [r['status'] for r in results] == ['no time', 'ok']
    assert [r['status'] for r in run(model, [Copy(64)], seconds=0)] == ['no time']


def test_a_compile_is_given_up(model, monkeypatch):
    def endless(*_):
        time.sleep(30)

    monkeypatch.setattr(card_benchmark._Bench, '_inference', endless)
    monkeypatch.setattr(card_benchmark, 'LONGEST_COMPILE', 0.2)
    compiled = Inference('attentive', 16, 16, 1, 'fp32', compiled=True)
    start = time.monotonic()
    results = run(model, [compiled, Copy(64)])
    assert time.monotonic() - start < 20
    assert [r['status'] for r in results] == ['no time', 'ok']
    assert results[0]['reason'] == 'compiling took too long'


def test_the_operations_of_a_step_are_counted(model):
    """A pass backward takes twice the operations of one forward, less the image's own gradient."""
    step = training_step(model, TrainingStep(False, 32, 1, 'fp32'), CPU)
    forward = run(model, [Inference('attentive', 32, 32, 1, 'fp32')])[0]['gflop'] * 1e9
    assert 2.9 * forward < count_flops(step) < 3.1 * forward
    one, two = run(model, [TrainingStep(True, 32, n, 'fp32') for n in (1, 2)])
    assert two['gflop'] == pytest.approx(2 * one['gflop'])
    assert one['gflop'] > 3 * forward / 1e9


def test_a_step_trains(model):
    step = training_step(model, TrainingStep(True, 32, 2, 'bf16'), CPU)
    first = step()
    for _ in range(4):
        last = step()
    assert last['loss_multi_scale'] < first['loss_multi_scale']
    assert all(value.dtype == torch.float32 and value.isfinite() for value in last.values())
    batch = random_batch(2, 16, CPU)
    assert batch['inputs'].shape == (2, 3, 16, 16)
    assert set(batch['data_samples'][0].mask.unique().tolist()) <= {0, 255}


def test_plans_name_known_things():
    for plan in (full_plan(['a', 'b']), small_plan(['a']), small_plan(['a'], compiled=True)):
        assert len(set(plan)) == len(plan)
    steps = [e for e in full_plan(['a']) if isinstance(e, TrainingStep)]
    assert all(step.crop % 4 == 0 and step.batch > 0 for step in steps)


def test_time_limits_nest():
    with pytest.raises(TimeIsUp), time_limit(0.1):
        time.sleep(10)
    with pytest.raises(TimeIsUp), time_limit(0.3):
        _sleep_behind_a_limit_that_is_kept()
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def _sleep_behind_a_limit_that_is_kept():
    with time_limit(5):
        pass
    time.sleep(10)


def test_tf32_is_one_setting_for_products_and_convolutions():
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    for enabled in (True, False):
        with use_tf32(enabled):
            assert torch.backends.cuda.matmul.allow_tf32 == enabled
            assert torch.backends.cudnn.allow_tf32 == enabled
    assert before == (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
