"""The discriminators: equal to the published one, at any size from 11 pixels on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attentive_gan.models.networks.discriminators import AttentiveDiscriminator, PlainDiscriminator
from published_graph import golden_image
from torch.testing import assert_close


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@torch.no_grad()
def test_equals_the_golden_outputs(discriminator, golden):
    stored = np.load(golden / 'discriminator.npz')
    output = discriminator(golden_image(224, 224))
    expected_map, probability = (torch.from_numpy(stored[k]) for k in ('map', 'probability'))
    assert_close(output.attention_map[..., ::4, ::4], expected_map, rtol=0, atol=1e-5)
    assert_close(torch.sigmoid(output.logits), probability, rtol=0, atol=1e-5)


def test_has_the_published_number_of_parameters():
    assert parameters(AttentiveDiscriminator()) == 7_737_746
    assert parameters(PlainDiscriminator()) == 7_734_545


@pytest.mark.parametrize(
    ('height', 'width'), [(11, 11), (64, 64), (219, 224), (234, 219), (240, 360), (11, 50)]
)
@torch.no_grad()
def test_takes_sides_from_eleven_pixels(discriminator, random_image, height, width):
    output = discriminator(random_image(height, width, batch=1))
    assert output.logits.shape == (1, 1)
    assert output.attention_map.shape == (1, 1, height, width)


@pytest.mark.parametrize('sides', [(1, 1), (2, 5), (14, 14), (14, 20), (31, 8)])
def test_pools_like_adaptive_pooling(sides):
    from attentive_gan.models.networks.discriminators import _pooled

    x = torch.rand(2, 3, *sides, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.adaptive_avg_pool2d(x, 14)
    assert_close(_pooled(x), expected, rtol=0, atol=1e-12)
    weight = torch.rand_like(expected)
    ours, theirs = (torch.autograd.grad((y * weight).sum(), x)[0] for y in (_pooled(x), expected))
    assert_close(ours, theirs, rtol=0, atol=1e-12)


@torch.no_grad()
def test_pooling_changes_nothing_at_the_published_sizes(discriminator, random_image):
    from attentive_gan.models.networks.discriminators import _pooled

    for side in (219, 234):
        x = discriminator.conv8(discriminator.conv7(torch.rand(1, 128, side, side)))
        assert _pooled(x) is x


def test_scales_with_its_width():
    small = AttentiveDiscriminator(width=0.25)
    assert small.conv6.out_channels == 32
    output = small(torch.rand(2, 3, 24, 40))
    assert output.logits.shape == (2, 1)
    assert output.attention_map.shape == (2, 1, 24, 40)
    assert sum(p.numel() for p in AttentiveDiscriminator().parameters()) == 7_737_746


@pytest.mark.parametrize('kind', [AttentiveDiscriminator, PlainDiscriminator])
def test_refuses_images_that_are_too_small(kind, random_image):
    with pytest.raises(ValueError, match='at least 11x11 pixels, got 12x10'):
        kind()(random_image(10, 12))


def test_the_plain_one_has_no_map(random_image):
    output = PlainDiscriminator()(random_image(16, 16, batch=2))
    assert output.attention_map is None
    assert output.logits.shape == (2, 1)


@torch.no_grad()
def test_the_map_weighs_the_features(discriminator, random_image):
    """A map of zeros leaves nothing of the image; a map of ones gives the plain discriminator."""
    first, second = random_image(24, 24), random_image(24, 24, seed=1)
    plain = PlainDiscriminator()
    plain.load_state_dict(
        {k: v for k, v in discriminator.state_dict().items() if not k.startswith('to_map')}
    )
    assert not torch.allclose(discriminator(first).logits, plain(first).logits)
    discriminator.to_map.weight.zero_()
    discriminator.to_map.bias.fill_(1)
    assert_close(discriminator(first).logits, plain(first).logits)
    discriminator.to_map.bias.zero_()
    assert torch.equal(discriminator(first).logits, discriminator(second).logits)


def test_judgement_and_map_both_reach_the_layers(random_image):
    network = AttentiveDiscriminator()
    network(random_image(16, 16)).logits.sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
