"""Weights in the wrappers of the tools of the field: the same image from all, or a refusal by name."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from attentive_gan import ImageRestorer
from attentive_gan.checkpoints.publishing import publish_generator
from attentive_gan.engine.runner.resumable_runner import ResumableRunner
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_state_dict
from attentive_gan.utils.checkpoint_wrappers import weights_of
from safetensors.torch import save_file
from support.lively_networks import lively
from torch import nn

from attentive_gan.models.networks.unet import RestorationUNet  # isort: skip

OPTIONS = dict(channels=[4, 6], blocks=1, shuffle=2)


def weights():
    return lively(RestorationUNet(**OPTIONS)).state_dict()


def other():
    return {name: value + 1 for name, value in weights().items()}


def named(prefix, state=None):
    return {f'{prefix}{name}': value for name, value in (state or weights()).items()}


def compiled():
    """As `torch.compile` of single layers saves them."""
    return {name.replace('head.', 'head._orig_mod.'): v for name, v in weights().items()}


def thop():
    layers = {name.rpartition('.')[0] for name in weights()}
    counted = {
        f'{layer}.{kind}': torch.zeros(1)
        for layer in layers
        for kind in ('total_ops', 'total_params')
    }
    return {**weights(), **counted, 'total_ops': torch.zeros(1), 'total_params': torch.zeros(1)}


def optimizer():
    return {'state': {0: {'exp_avg': torch.ones(3)}}, 'param_groups': [{'lr': 0.1, 'params': [0]}]}


WRAPPED = {
    'bare': weights,
    'basicsr': lambda: {'params': weights()},
    'basicsr_ema': lambda: {'params': other(), 'params_ema': weights()},
    'basicsr_ema_alone': lambda: {'params_ema': weights()},
    'basicsr_data_parallel': lambda: {'params': named('module.')},
    'restormer': lambda: {'params': weights(), 'iter': 300},
    'nafnet_training': lambda: {'state_dict': weights(), 'epoch': 3, 'optimizer': optimizer()},
    'data_parallel': lambda: named('module.'),
    'data_parallel_in_state_dict': lambda: {'state_dict': named('module.')},
    'data_parallel_twice': lambda: named('module.module.'),
    'data_parallel_generator': lambda: {'state_dict': named('generator.module.')},
    'mmengine': lambda: {'meta': {'iter': 5}, 'state_dict': named('generator.'), 'optimizer': optimizer(),
                         'ema_state_dict': named('generator.', other())},
    'model': lambda: {'model': weights(), 'epoch': 9},
    'model_state_dict': lambda: {'model_state_dict': weights(), 'optimizer_state_dict': optimizer()},
    'net': lambda: {'net': weights()},
    'network_of_gan': lambda: {'net_g': weights(), 'net_d': {'conv.weight': torch.ones(3)}},
    'generator_of_gan': lambda: {'generator': weights(), 'discriminator': {'a.weight': torch.ones(3)}},
    'deepspeed': lambda: {'module': weights(), 'lr_scheduler': {'last': torch.ones(2)}},
    'wrapper_in_wrapper': lambda: {'checkpoint': {'model': {'state_dict': weights()}}},
    'unknown_name': lambda: {'weights_of_run_7': weights(), 'loss': 0.5},
    'lightning': lambda: {'state_dict': named('net.'), 'pytorch-lightning_version': '2.4',
                          'optimizer_states': [optimizer()], 'hyper_parameters': {'lr': 0.1}},
    'lightning_compiled': lambda: {'state_dict': named('model._orig_mod.')},
    'lightning_ema': lambda: {'state_dict': named('net.', other()) | named('net_ema.')},
    'attribute_of_attribute': lambda: named('trainer.net.module.'),
    'compiled': lambda: named('_orig_mod.'),
    'compiled_layers': compiled,
    'compiled_data_parallel': lambda: named('module._orig_mod.'),
    'data_parallel_compiled': lambda: named('_orig_mod.module.'),
    'averaged_model': lambda: {**named('module.'), 'n_averaged': torch.tensor(7)},
    'average_of_mmengine': lambda: {**named('module.'), 'steps': torch.tensor(7)},
    'timm': lambda: {'state_dict': other(), 'state_dict_ema': weights(), 'arch': 'x'},
    'thop': thop,
    'thop_in_data_parallel': lambda: {'params': {f'module.{n}': v for n, v in thop().items()}},
    'counters': lambda: {**weights(), 'epoch': 5, 'name': 'x'},
    'the_same_twice': lambda: {'model': weights(), 'state_dict': weights()},
    'parameters': lambda: {name: nn.Parameter(value) for name, value in weights().items()},
}  # fmt: skip

REFUSED = {
    'two_networks': (lambda: {'state_dict': weights(), 'model': other()}, r'state_dict, model'),
    'two_averages': (lambda: {'params_ema': weights(), 'ema': other()}, r'params_ema, ema'),
    'unknown_names': (lambda: {'stage1': weights(), 'stage2': other()}, r'stage1, stage2'),
    'deep_names': (lambda: {'run': {'a': weights(), 'b': other()}}, r"run\.a, run\.b.*\['run'\]\['a'\]"),
    'tensors_beside': (lambda: {**weights(), 'model': other()}, 'tensors beside'),
    'two_prefixes': (lambda: named('first.') | named('second.', other()), 'first, second'),
    'wrapped_and_not': (lambda: {**weights(), **named('_orig_mod.')}, 'with and without'),
    'discriminator_too': (
        lambda: named('net_g.') | {'net_d.weight': torch.ones(2)}, r'unexpected \(net_g\.'
    ),
    'no_weights': (lambda: {'epoch': 3, 'optimizer': optimizer()}, 'epoch, optimizer'),
    'list': (lambda: [torch.ones(2)], r'holds a list \(tensor\), not the weights'),
}  # fmt: skip

IMAGE = np.random.default_rng(0).integers(0, 256, (13, 18, 3), dtype=np.uint8)


@pytest.fixture(scope='module')
def config(repository, tmp_path_factory):
    path = tmp_path_factory.mktemp('config') / 'small.py'
    base = repository / 'configs' / 'unet' / 'unet_1xb8-100k_raindrop.py'
    path.write_text(f'_base_ = {str(base)!r}\nmodel = dict(generator=dict(**{OPTIONS}))\n')
    return path


def restored(config, path):
    restorer = ImageRestorer(str(config), str(path), device='cpu', precision='float32')
    return restorer.restore(IMAGE).image


@pytest.fixture(scope='module')
def expected(config, tmp_path_factory):
    path = tmp_path_factory.mktemp('bare') / 'bare.safetensors'
    save_file(weights(), path)
    return restored(config, path)


@pytest.mark.parametrize('name', WRAPPED)
def test_all_wrappers_restore_the_same_image(config, expected, tmp_path, name):
    path = tmp_path / f'{name}.pth'
    torch.save(WRAPPED[name](), path)
    assert np.array_equal(restored(config, path), expected)


@pytest.mark.parametrize('name', REFUSED)
def test_what_is_ambiguous_or_no_network_is_refused_by_name(config, tmp_path, name):
    content, message = REFUSED[name]
    path = tmp_path / f'{name}.pth'
    torch.save(content(), path)
    with pytest.raises(UserError, match=message) as error:
        restored(config, path)
    assert path.name in str(error.value)


class Trap:
    """Runs code when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


@pytest.mark.parametrize('wrapper', ['params', 'state_dict', 'anything'])
def test_code_in_a_wrapper_does_not_run(config, tmp_path, wrapper):
    path = tmp_path / 'trap.pth'
    torch.save({wrapper: weights(), 'x': Trap(tmp_path / 'ran')}, path)
    with pytest.raises(UserError, match='pickled code'):
        restored(config, path)
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    'name', ['bare', 'basicsr_ema', 'data_parallel', 'lightning', 'compiled', 'thop', 'mmengine']
)
def test_load_from_takes_them_too(tmp_path, name):
    """`load_from` and the test command load by the runner's method."""
    path = tmp_path / 'weights.pth'
    torch.save(WRAPPED[name](), path)
    model = nn.ModuleDict({'generator': RestorationUNet(**OPTIONS)})
    seen = []
    runner = SimpleNamespace(
        model=model, logger=SimpleNamespace(info=seen.append, warning=seen.append),
        call_hook=lambda name, checkpoint: seen.append(checkpoint),
    )  # fmt: skip
    ResumableRunner.load_checkpoint(runner, str(path))
    for key, value in weights().items():
        assert torch.equal(model.generator.state_dict()[key], value)
    assert set(seen[0]['state_dict']) == set(model.state_dict())
    assert 'params' not in seen[0]


def test_publishing_takes_wrapped_names(tmp_path):
    path, out = tmp_path / 'iter_5.pth', tmp_path / 'out.safetensors'
    torch.save({'state_dict': named('module.generator.'), 'meta': {'iter': 5}}, path)
    publish_generator(path, out)
    assert set(read_state_dict(out)) == set(weights())


def test_an_editors_own_step_counter_stays():
    state = {'generator_ema.steps': torch.tensor(3), 'generator_ema.module.a': torch.ones(2)}
    assert weights_of({'state_dict': state}, 'x.pth') == state
