"""Bfloat16, memory format, TF32 and deterministic algorithms, as far as a CPU shows them."""

from __future__ import annotations

import os
import warnings

import pytest
import torch
from attentive_gan.config import reading as configuration
from attentive_gan.engine.optimizers import bfloat16
from attentive_gan.engine.optimizers.bfloat16 import Bfloat16OptimWrapper, why_no_bfloat16
from attentive_gan.engine.runner import device_settings
from attentive_gan.errors import UserError
from mmengine.optim import OptimWrapper
from support.runs import REPOSITORY
from torch import nn

MAIN = str(REPOSITORY / 'configs' / 'attgan_raindrop.py')


def test_forward_passes_are_in_bfloat16_and_all_else_in_float32():
    torch.manual_seed(0)
    model = nn.Linear(8, 8)
    wrapper = Bfloat16OptimWrapper(torch.optim.Adam(model.parameters()))
    with wrapper.optim_context(model):
        output = model(torch.randn(2, 8))
    wrapper.update_params(output.float().square().mean())
    assert output.dtype == torch.bfloat16
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {s['exp_avg'].dtype for s in wrapper.optimizer.state.values()} == {torch.float32}
    assert 'loss_scaler' not in wrapper.state_dict()
    assert not torch.is_autocast_enabled('cpu')


@pytest.mark.parametrize(
    ('flags', 'fits'),
    [('sse avx2 avx512_bf16', True), ('amx_tile amx_bf16', True), ('avx512f avx512_fp16', False)],
)
def test_cpus_that_compute_in_bfloat16(tmp_path, monkeypatch, flags, fits):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    path = tmp_path / 'cpuinfo'
    path.write_text(f'model name : Some CPU\nflags\t\t: {flags}\n')
    reason = why_no_bfloat16(path)
    assert (reason is None) == fits
    assert why_no_bfloat16(tmp_path / 'absent') is not None


@pytest.mark.parametrize('supported', [True, False])
def test_gpus_that_compute_in_bfloat16(monkeypatch, supported):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    capability = (8, 0) if supported else (7, 5)
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda: capability)
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda: 'Old GPU')
    reason = why_no_bfloat16()
    assert reason is None if supported else 'Old GPU does not compute in bfloat16' in reason


def use(monkeypatch, dtype, cuda, bfloat16_fits):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)
    reason = None if bfloat16_fits else 'it cannot'
    monkeypatch.setattr(configuration, 'why_no_bfloat16', lambda: reason)
    config = configuration.load_config(MAIN, {'optim_wrapper.generator.loss_scale': 'dynamic'})
    configuration.use_mixed_precision(config, dtype)
    return config.optim_wrapper.generator


def test_bfloat16_has_no_loss_scale(monkeypatch):
    wrapper = use(monkeypatch, 'bfloat16', cuda=False, bfloat16_fits=True)
    assert wrapper.type == bfloat16.Bfloat16OptimWrapper.__name__
    assert not {'loss_scale', 'dtype'} & set(wrapper)


def test_float16_has_one(monkeypatch):
    wrapper = use(monkeypatch, 'float16', cuda=True, bfloat16_fits=True)
    assert (wrapper.type, wrapper.dtype, wrapper.loss_scale) == (
        'AmpOptimWrapper', 'float16', 'dynamic',
    )  # fmt: skip


@pytest.mark.parametrize(
    ('dtype', 'fits', 'message'),
    [
        ('bfloat16', False, '--amp bfloat16: it cannot'),
        ('float16', False, 'needs a CUDA device and none was found; omit --amp on the CPU$'),
        ('float16', True, 'or use --amp bfloat16'),
    ],
)
def test_what_the_machine_cannot_is_refused(monkeypatch, dtype, fits, message):
    with pytest.raises(UserError, match=message):
        use(monkeypatch, dtype, cuda=False, bfloat16_fits=fits)


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(4, 6, 3), nn.Conv3d(2, 2, 3), nn.Linear(3, 3))


def test_weights_of_four_dimensions_are_laid_out():
    model = network()
    before = [parameter.clone() for parameter in model.parameters()]
    device_settings.to_memory_format(model, 'channels_last')
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert not model[0].weight.is_contiguous()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    device_settings.to_memory_format(model, 'contiguous')
    assert model[0].weight.is_contiguous()


def test_without_a_gpu_weights_stay_as_they_are():
    assert device_settings.to_memory_format(network(), None)[0].weight.is_contiguous()


def test_an_unknown_format_is_refused():
    with pytest.raises(UserError, match=r"memory_format must be one of .*, not 'nhwc'"):
        device_settings.to_memory_format(network(), 'nhwc')


def test_states_of_optimizers_take_the_layout_of_their_weights():
    """Resuming from a checkpoint, whose tensors are contiguous, on channels-last weights."""
    model = nn.Conv2d(4, 6, 3)
    first = OptimWrapper(torch.optim.Adam(model.parameters(), fused=True))
    model(torch.randn(1, 4, 5, 5)).sum().backward()
    first.step()
    saved = first.state_dict()
    device_settings.to_memory_format(model, 'channels_last')
    second = OptimWrapper(torch.optim.Adam(model.parameters(), fused=True))
    second.load_state_dict(saved)
    device_settings.match_layouts(second)
    state = second.optimizer.state[model.weight]
    assert state['exp_avg'].stride() == model.weight.stride()
    assert torch.equal(state['exp_avg'], saved['state'][0]['exp_avg'])
    assert state['step'] == 1
    second.step()


def test_tf32_without_warnings():
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        for on in (False, True):
            with warnings.catch_warnings():
                warnings.simplefilter('error')
                device_settings.use_tf32(on)
            assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == on
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def test_deterministic_training_prepares_cublas(monkeypatch):
    from attentive_gan.engine.runner.restoration_runner import RestorationRunner
    from mmengine.runner import Runner

    seen = {}

    def record(self, seed, diff_rank_seed, deterministic):
        seen.update(
            workspace=os.environ.get('CUBLAS_WORKSPACE_CONFIG'),
            benchmark=torch.backends.cudnn.benchmark,
        )

    monkeypatch.setattr(Runner, 'set_randomness', record)
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', True)
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', '')
    monkeypatch.delenv('CUBLAS_WORKSPACE_CONFIG')
    runner = object.__new__(RestorationRunner)
    RestorationRunner.set_randomness(runner, 1, deterministic=False)
    assert seen == {'workspace': None, 'benchmark': True}
    RestorationRunner.set_randomness(runner, 1, deterministic=True)
    assert seen == {'workspace': ':4096:8', 'benchmark': False}
