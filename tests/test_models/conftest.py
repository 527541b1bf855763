"""The published networks and ours, with the same weights."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.models.converters import attentive_gan as weights
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.discriminators import AttentiveDiscriminator
from published_graph import PublishedDiscriminator, PublishedGenerator, fill_by_rule


@pytest.fixture(scope='session')
def published_generator():
    network = PublishedGenerator().eval().requires_grad_(False)
    fill_by_rule(network)
    return network


@pytest.fixture(scope='session')
def published_discriminator():
    network = PublishedDiscriminator().eval().requires_grad_(False)
    fill_by_rule(network)
    return network


@pytest.fixture
def generator(published_generator):
    network = AttentiveGenerator()
    network.load_state_dict(weights.convert_generator(published_generator.state_dict(), 'bgr'))
    return network


@pytest.fixture
def discriminator(published_discriminator):
    network = AttentiveDiscriminator()
    state = published_discriminator.state_dict()
    network.load_state_dict(weights.from_published(state, weights.DISCRIMINATOR_LAYERS, network))
    return network


@pytest.fixture
def random_image():
    """Makes seeded random images (N, 3, H, W)."""

    def make(height: int, width: int, batch: int = 1, seed: int = 0) -> torch.Tensor:
        source = torch.Generator().manual_seed(seed)
        return torch.rand(batch, 3, height, width, generator=source)

    return make
