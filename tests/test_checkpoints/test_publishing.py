"""Published weights: half the size, the same images, a pinned checksum."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
import torch
from attentive_gan.checkpoints import shipped as shipping
from attentive_gan.checkpoints.description import WeightsDescription, read_description
from attentive_gan.checkpoints.publishing import publish_generator
from attentive_gan.errors import UserError
from attentive_gan.models.networks.unet import RestorationUNet
from attentive_gan.utils.checkpoint_io import read_checkpoint, write_checkpoint


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = RestorationUNet(channels=(4, 6), blocks=1, shuffle=2)
    torch.nn.init.normal_(made.tail.weight, std=0.1)
    return made.eval()


@pytest.fixture
def checkpoint(network, tmp_path):
    state = {f'generator.{name}': value for name, value in network.state_dict().items()}
    state['discriminator.weight'] = torch.ones(3)
    path = tmp_path / 'iter_7.pth'
    write_checkpoint({'state_dict': state, 'meta': {'iter': 7}}, path)
    return path


def test_the_generator_survives(checkpoint, network, tmp_path):
    out = tmp_path / 'new' / 'weights.safetensors'
    generator = dict(type='RestorationUNet', channels=[4, 6], blocks=1, shuffle=2)
    described = WeightsDescription('small', 'BaseEditModel', generator, 'rgb', '', 'nothing')
    digest = publish_generator(checkpoint, out, described)
    assert digest == hashlib.sha256(out.read_bytes()).hexdigest()
    state = read_checkpoint(out)['state_dict']
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert set(state) == set(network.state_dict())  # nothing of the discriminator
    assert read_description(out) == replace(described, iterations='7')
    card = out.with_suffix('.md').read_text()
    assert digest in card
    assert 'RestorationUNet' in card
    again = publish_generator(checkpoint, tmp_path / 'again.safetensors', described)
    assert again == digest  # equal contents give equal files
    rainy = torch.rand(1, 3, 24, 32)
    expected = network(rainy)
    network.load_state_dict(state)
    assert (network(rainy) - expected).abs().max() < 1 / 255 / 4
    assert not torch.equal(network(rainy), expected)  # it was the file that was loaded


def test_the_average_is_published_where_the_editor_keeps_one(checkpoint, network, tmp_path):
    state = {f'generator.{k}': torch.zeros_like(v) for k, v in network.state_dict().items()}
    state |= {f'generator_ema.module.{k}': v for k, v in network.state_dict().items()}
    state['generator_ema.steps'] = torch.tensor(7)
    averaged = tmp_path / 'averaged.pth'
    write_checkpoint({'state_dict': state, 'meta': {'iter': 7}}, averaged)
    digests = [
        publish_generator(path, tmp_path / f'{path.stem}.safetensors')
        for path in (checkpoint, averaged)
    ]
    assert digests[0] == digests[1]


@pytest.mark.parametrize('value', [1e6, float('nan')])
def test_weights_that_half_precision_ruins_are_refused(checkpoint, network, tmp_path, value):
    state = {f'generator.{k}': v.clone() for k, v in network.state_dict().items()}
    state['generator.tail.bias'][0] = value
    write_checkpoint({'state_dict': state}, checkpoint)
    with pytest.raises(UserError, match=r'tail\.bias'):
        publish_generator(checkpoint, tmp_path / 'weights.safetensors')
    assert not (tmp_path / 'weights.safetensors').exists()


def test_a_checkpoint_without_generator_is_refused(tmp_path):
    path = tmp_path / 'other.pth'
    write_checkpoint({'state_dict': {'backbone.weight': torch.ones(2)}}, path)
    with pytest.raises(UserError, match='generator'):
        publish_generator(path, tmp_path / 'weights.safetensors')


@pytest.mark.parametrize('name', sorted(shipping.SHIPPED))
def test_shipped_weights_are_sound_and_documented(name):
    weights = shipping.shipped_weights(name)
    assert weights.path.stat().st_size < 15 * 10**6
    card = weights.path.with_suffix('.md').read_text()
    assert weights.sha256 in card
    assert weights.config in card


def test_there_are_shipped_weights():
    assert shipping.SHIPPED


def test_changed_and_missing_weights_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(shipping, 'FOLDER', tmp_path)
    weights = shipping.ShippedWeights('some', '0' * 64)
    with pytest.raises(UserError, match='missing'):
        _ = weights.path
    (tmp_path / 'some.safetensors').write_bytes(b'changed')
    with pytest.raises(UserError, match='SHA-256'):
        _ = weights.path
    with pytest.raises(UserError, match='nothing_like_it'):
        shipping.shipped_weights('nothing_like_it')
