"""The small U-Net: sizes, identity at the start, locality, and that it learns."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.models.networks.unet import RestorationUNet
from mmagic.registry import MODELS

SMALL = {'channels': (4, 6, 8), 'blocks': 1, 'shuffle': 2}


def random_network(seed=0, **changes):
    torch.manual_seed(seed)
    network = RestorationUNet(**{**SMALL, **changes})
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


@pytest.mark.parametrize('size', [(1, 1), (8, 8), (17, 30), (31, 9)])
def test_any_size(size):
    rainy = torch.rand(2, 3, *size)
    assert random_network()(rainy).shape == rainy.shape


def test_an_untrained_network_changes_nothing():
    rainy = torch.rand(1, 3, 20, 28)
    assert torch.equal(RestorationUNet(**SMALL)(rainy), rainy)


def test_it_is_built_from_the_registry():
    network = MODELS.build({'type': 'RestorationUNet'})
    assert sum(p.numel() for p in network.parameters()) == 3_430_032


def test_padding_repeats_the_border():
    network, rainy = random_network(), torch.rand(1, 3, 13, 21)
    padded = torch.nn.functional.pad(rainy, (0, 3, 0, 3), mode='replicate')
    assert torch.allclose(network(rainy), network(padded)[..., :13, :21], atol=1e-6)


def test_shifting_by_its_multiple_shifts_the_result():
    network = random_network()
    assert network.size_multiple == 8
    rainy = torch.rand(1, 3, 240, 24)
    first, second = network(rainy), network(rainy[..., 8:, :])
    assert torch.allclose(first[..., 120:128, :], second[..., 112:120, :], atol=1e-5)


def test_every_parameter_learns():
    torch.manual_seed(0)
    network = RestorationUNet(**SMALL)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    rainy, before = torch.rand(2, 3, 16, 16), [p.clone() for p in network.parameters()]
    losses = []
    for _ in range(12):
        loss = (network(rainy) - 0.5 * rainy).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    pairs = zip(before, network.parameters(), strict=True)
    assert not any(torch.equal(old, new) for old, new in pairs)


@pytest.mark.parametrize(
    'wrong', [{'channels': ()}, {'channels': (0,)}, {'blocks': 0}, {'shuffle': 0}]
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(UserError, match='RestorationUNet'):
        RestorationUNet(**wrong)
