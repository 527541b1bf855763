"""Weights fit completely or not at all."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.checkpoints.fitting import load_weights
from attentive_gan.errors import UserError
from torch import nn


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Linear(2, 2)
        self.discriminator = nn.Linear(2, 1)


@pytest.fixture
def state():
    return Pair().state_dict()


def test_exact_weights_load(state):
    model = Pair()
    assert load_weights(model, state, 'x.pth') == []
    assert torch.equal(model.generator.weight, state['generator.weight'])


def test_keys_of_distributed_wrappers_load(state):
    """As MMEngine saves a GAN that several processes trained."""
    model = Pair()
    wrapped = {key.replace('.', '.module.', 1): value for key, value in state.items()}
    load_weights(model, wrapped, 'x.pth')
    assert torch.equal(model.generator.weight, state['generator.weight'])
    load_weights(model, {f'module.{key}': value for key, value in wrapped.items()}, 'x.pth')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda s: s.pop('generator.bias'), r'1 missing \(generator\.bias\)'),
        (lambda s: s.update(extra=torch.ones(1)), r'1 unexpected \(extra\)'),
        (
            lambda s: s.update({'generator.bias': torch.ones(9)}),
            r'generator\.bias \(9,\) instead of \(2,\)',
        ),
    ],
)
def test_any_difference_is_an_error(state, change, message):
    change(state)
    with pytest.raises(UserError, match=message) as error:
        load_weights(Pair(), state, 'x.pth')
    assert 'x.pth' in str(error.value)


def test_only_whole_named_parts_may_be_absent(state):
    generator = {key: value for key, value in state.items() if key.startswith('generator')}
    assert load_weights(Pair(), generator, 'x.pth', ['discriminator']) == ['discriminator']
    with pytest.raises(UserError, match='2 missing'):
        load_weights(Pair(), generator, 'x.pth')
    generator['discriminator.bias'] = torch.ones(1)
    with pytest.raises(UserError, match=r'1 missing \(discriminator\.weight\)'):
        load_weights(Pair(), generator, 'x.pth', ['discriminator'])


def test_a_bare_generator_loads(state):
    """As the converter writes .safetensors."""
    model = Pair()
    bare = {key[10:]: value for key, value in state.items() if key.startswith('generator.')}
    assert load_weights(model, bare, 'x.safetensors', ['discriminator']) == ['discriminator']
    assert torch.equal(model.generator.weight, state['generator.weight'])
