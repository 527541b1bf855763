"""Training on CUDA: nothing waits, killed trainings go on to the same bits, NCCL, reading on a CPU.

ATTENTIVE_GAN_TEST_DEVICE=cpu runs the same tests on a CPU, to look for mistakes in the tests themselves.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch
from attentive_gan.config import reading as configuration
from attentive_gan.engine.optimizers.bfloat16 import why_no_bfloat16
from mmagic.registry import MODELS
from mmengine.hooks import Hook
from support.host_reads import counted_reads
from support.runs import REPOSITORY, tool

NAME = os.environ.get('ATTENTIVE_GAN_TEST_DEVICE', 'cuda')
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        NAME.startswith('cuda') and not torch.cuda.is_available(), reason='no CUDA device'
    ),
]
CONFIG = REPOSITORY / 'tests' / 'support' / 'drawn_pairs_config.py'
AMP = 'float16' if why_no_bfloat16() else 'bfloat16'


def train(work_dir, *words, processes=0, **variables):
    """Train 20 iterations with mixed precision and deterministic algorithms."""
    options = ['randomness.deterministic=True', 'val_cfg=None', 'val_dataloader=None']
    options += ['val_evaluator=None', 'default_hooks.checkpoint.save_best=None']
    return tool(
        'train.py', CONFIG, '--work-dir', work_dir, '--amp', AMP, *words, '--cfg-options', *options,
        processes=processes, **variables,
    )  # fmt: skip


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Three trainings side by side, and the killed one resumed: `whole`, `stopped`, `nccl`."""
    folder = tmp_path_factory.mktemp('trained')
    with ThreadPoolExecutor() as pool:
        whole = pool.submit(train, folder / 'whole')
        stopped = pool.submit(train, folder / 'stopped', KILL_AT='15')
        nccl = pool.submit(train, folder / 'nccl', processes=1)
        assert stopped.result().returncode == -9, stopped.result().stderr
        assert not (folder / 'stopped' / 'iter_20.pth').exists()
        resumed = train(folder / 'stopped', '--resume')
    for done in (whole.result(), nccl.result(), resumed):
        assert done.returncode == 0, done.stdout + done.stderr
    assert 'Resumed at iteration 10' in resumed.stdout
    return {name: folder / name / 'iter_20.pth' for name in ('whole', 'stopped', 'nccl')}


def tensors(node, path=''):
    """Yield all tensors of a nested state with their names."""
    if isinstance(node, torch.Tensor):
        yield path, node
    elif isinstance(node, (dict, list, tuple)):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in items:
            yield from tensors(value, f'{path}.{key}')


def test_a_killed_training_goes_on_to_the_same_bits(trained):
    """Mixed precision, fused optimizers, clipping, the moving average: with deterministic=True."""
    states = [torch.load(trained[name], weights_only=True) for name in ('whole', 'stopped')]
    for part in ('state_dict', 'optimizer', 'random_states'):
        first, second = (dict(tensors(state[part])) for state in states)
        assert set(first) == set(second)
        assert [name for name in first if not torch.equal(first[name], second[name])] == []


def test_one_process_under_nccl_learns_the_same(trained):
    first, second = (
        torch.load(trained[name], weights_only=True)['state_dict'] for name in ('whole', 'nccl')
    )
    assert list(first) == list(second)
    differences = [(second[name].double() - value.double()).abs() for name, value in first.items()]
    # Adam moves a weight by up to 5e-4 an iteration, however small the gradient; other weights differ more.
    assert max(float(difference.max()) for difference in differences) <= 0.02
    assert float(torch.cat([d.flatten() for d in differences]).mean()) < 1e-3


def test_a_cpu_reads_what_a_gpu_wrote(trained):
    state = torch.load(trained['whole'], weights_only=True)
    found = dict(tensors(state))
    assert {value.device.type for value in found.values()} == {'cpu'}
    assert [name for name, value in found.items() if not value.is_contiguous()] == []
    config = configuration.load_config(str(CONFIG))
    generator = MODELS.build(config.model.generator)
    prefix = 'generator.'
    own = {k[len(prefix) :]: v for k, v in state['state_dict'].items() if k.startswith(prefix)}
    generator.load_state_dict(own)
    rainy = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        here = generator.eval()(rainy)
        there = generator.to(NAME)(rainy.to(NAME)).cpu()
    torch.testing.assert_close(here, there, rtol=0, atol=1e-2)


class Waits(Hook):
    """Lets CUDA refuse whatever makes the host wait, from the third iteration on, unless it logs."""

    def before_train(self, runner):
        loop, run_iter = runner.train_loop, runner.train_loop.run_iter
        self.checked = []

        def watched(batch):
            number = loop.iter + 1
            quiet = number > 2 and number % 5 and number != 10
            if not quiet:
                run_iter(batch)
                return
            with refused_waits():
                run_iter(batch)
            self.checked.append(number)

        loop.run_iter = watched


@contextmanager
def refused_waits():
    """Let CUDA raise where the host waits; on a CPU, assert that no value is read."""
    if not NAME.startswith('cuda'):
        with counted_reads() as reads:
            yield
        assert reads == []
        return
    torch.cuda.set_sync_debug_mode('error')
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode('default')


def test_no_iteration_waits_for_the_device(tmp_path):
    """Of the generator alone, with a discriminator, and with its loss."""
    config = configuration.load_config(str(CONFIG))
    config.merge_from_dict(
        {
            'work_dir': str(tmp_path),
            'launcher': 'none',
            'experiment_name': 'waits',
            'model.train_cfg.gen_init_steps': 4,
            'model.train_cfg.disc_init_steps': 2,
            'train_cfg.max_iters': 10,
            'train_dataloader.dataset.length': 100,  # an epoch's last iteration logs
            'train_dataloader.pin_memory': NAME.startswith('cuda'),
        }
    )
    if not why_no_bfloat16():
        configuration.use_mixed_precision(config, 'bfloat16')
    configuration.disable_validation(config)
    runner, hook = configuration.build_runner(config), Waits()
    runner.register_hook(hook)
    runner.train()
    assert hook.checked == [3, 4, 6, 7, 8, 9]
    weights = [p for p in runner.model.parameters() if p.dim() == 4 and p.shape[1] > 1]
    assert {weight.device.type for weight in weights} == {NAME.partition(':')[0]}
    if NAME.startswith('cuda'):
        layout = torch.channels_last
        assert all(weight.is_contiguous(memory_format=layout) for weight in weights)
        averaged = runner.model.generator_ema.module.parameters()
        assert all(p.is_contiguous(memory_format=layout) for p in averaged if p.dim() == 4)
        for wrapper in runner.optim_wrapper.values():
            for weight, state in wrapper.optimizer.state.items():
                assert state['exp_avg'].stride() == weight.stride()
