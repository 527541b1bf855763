"""The published weights become ours exactly, and nothing else passes for them."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.models.converters import attentive_gan as weights
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.discriminators import AttentiveDiscriminator
from published_graph import PublishedDiscriminator, PublishedGenerator
from torch.testing import assert_close


def test_the_strict_list_of_published_names():
    with torch.device('meta'):
        generator, discriminator = PublishedGenerator(), PublishedDiscriminator()
    names = weights.published_names(weights.GENERATOR_LAYERS)
    assert names == list(generator.state_dict())
    assert len(names) == 70
    assert names[:2] == ['det_conv0.0.weight', 'det_conv0.0.bias']
    assert names[-1] == 'output.0.bias'
    names = weights.published_names(weights.DISCRIMINATOR_LAYERS)
    assert names == list(discriminator.state_dict())
    assert len(names) == 22


@pytest.mark.parametrize(
    ('ours', 'theirs', 'layers'),
    [
        (AttentiveGenerator, PublishedGenerator, weights.GENERATOR_LAYERS),
        (AttentiveDiscriminator, PublishedDiscriminator, weights.DISCRIMINATOR_LAYERS),
    ],
)
def test_fills_every_tensor_of_ours(ours, theirs, layers):
    network, published = ours(), theirs().state_dict()
    state = weights.from_published(published, layers, network)
    network.load_state_dict(state, strict=True)
    assert sum(v.numel() for v in state.values()) == sum(v.numel() for v in published.values())


@torch.no_grad()
def test_colour_orders_agree(published_generator, random_image):
    rainy = random_image(24, 32).double()
    outputs = {}
    for order in ('bgr', 'rgb'):
        network = AttentiveGenerator()
        network.load_state_dict(weights.convert_generator(published_generator.state_dict(), order))
        network.double()
        image = rainy.flip(1) if order == 'bgr' else rainy
        outputs[order] = network(image, side_outputs=True)
    rgb, bgr = outputs['rgb'], outputs['bgr']
    assert_close(rgb.attention_maps, bgr.attention_maps, rtol=0, atol=1e-12)
    for name in ('restored', 'half', 'quarter'):
        assert_close(getattr(rgb, name), getattr(bgr, name).flip(1), rtol=0, atol=1e-12)
    assert not torch.allclose(rgb.restored, bgr.restored, atol=1e-3)


def test_reversing_colours_twice_changes_nothing(generator):
    state = generator.state_dict()
    twice = weights.reverse_colours(weights.reverse_colours(state))
    assert all(torch.equal(twice[name], state[name]) for name in state)


def damaged(state, change):
    state = dict(state)
    change(state)
    return state


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda s: s.pop('conv_f.0.bias'), 'missing: conv_f.0.bias; unexpected: none'),
        (lambda s: s.update({'module.x': torch.zeros(1)}), 'unexpected: module.x'),
        (lambda s: s.update({'conv3.0.bias': torch.zeros(5)}), r'conv3.bias .* \(5,\).* \(128,\)'),
        (lambda s: s.update({'conv_i.0.bias': torch.zeros(5)}), 'bias tensors of the four gates'),
    ],
)
def test_says_what_is_wrong(published_generator, change, message):
    state = damaged(published_generator.state_dict(), change)
    with pytest.raises(UserError, match=message):
        weights.convert_generator(state, 'rgb')


def test_knows_two_colour_orders(published_generator):
    with pytest.raises(ValueError, match="'grb'"):
        weights.convert_generator(published_generator.state_dict(), 'grb')
