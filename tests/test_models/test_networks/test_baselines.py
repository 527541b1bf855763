"""Eigen's network, DuRN-S-P, and the restorers of MMagic: sizes, counts, and what they compute."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.checkpoints.fitting import matching_state
from attentive_gan.errors import UserError
from attentive_gan.models.networks.baselines.durn import DualResidualBlock, DuRNSP
from attentive_gan.models.networks.baselines.eigen import EigenNet
from mmagic.registry import MODELS
from support.mmagic_networks import MMAGIC
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

SMALL = {
    'A2Net': {'channels': 8, 'chroma_channels': 8},
    'EigenNet': {'channels': 6},
    'DuRNSP': {'channels': 8},
    'PReNet': {'channels': 4, 'num_stages': 2},
    'Pix2PixGenerator': {'base_channels': 2, 'num_down': 5, 'use_dropout': False},
}


def test_eigen_draws_the_mean_of_overlapping_patches():
    torch.manual_seed(0)
    network, rainy = EigenNet(5), torch.rand(1, 3, 9, 12)
    weight = {name: value.detach() for name, value in network.named_parameters()}
    padded = F.pad(rainy, (11,) * 4, mode='replicate')
    patches = F.unfold(padded, 16)[0].T
    hidden = torch.tanh(patches @ weight['conv1.weight'].flatten(1).T + weight['conv1.bias'])
    hidden = torch.tanh(hidden @ weight['conv2.weight'].flatten(1).T + weight['conv2.bias'])
    # Each place's patch of 8 x 8; `fold` adds up what overlaps, and a pixel in the middle has 64.
    drawn = hidden @ weight['conv3.weight'].flip(2, 3).transpose(0, 1).flatten(1)
    whole = F.fold(drawn.T[None], (23, 26), 8) / 64 + weight['conv3.bias'].view(1, 3, 1, 1) / 64
    assert_close(network(rainy), whole[..., 7:16, 7:19], atol=1e-6, rtol=1e-5)


def test_eigen_has_the_papers_layers():
    layers = [EigenNet().conv1, EigenNet().conv2, EigenNet().conv3]
    assert [layer.kernel_size for layer in layers] == [(16, 16), (1, 1), (8, 8)]
    assert [layer.out_channels for layer in layers] == [512, 512, 3]


def test_eigen_sees_its_surroundings_symmetrically():
    network, rainy = EigenNet(4), torch.rand(1, 3, 40, 40).requires_grad_()
    network(rainy)[0, :, 20, 20].sum().backward()
    rows = rainy.grad[0].abs().sum((0, 2)).nonzero().flatten()
    assert (rows.min(), rows.max()) == (20 - 11, 20 + 11)


def test_durn_has_as_many_parameters_as_printed():
    # 10.2 M for DuRN in table 3 of Resfusion (NeurIPS 2024, arXiv 2311.14900).
    count = sum(p.numel() for p in MODELS.build({'type': 'DuRNSP'}).parameters())
    assert round(count / 1e6, 1) == 10.2


def test_a_dual_block_joins_any_first_to_any_later_second_operation():
    first, second = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
    block = DualResidualBlock(4, first, second).eval()
    x, carried = torch.rand(1, 4, 9, 9), torch.rand(1, 4, 9, 9)
    y = block.enter(x).relu()
    y = block.norm(block.convolution(y) + x).relu()
    expected = (first(y) + carried).relu()
    found, passed_on = block(x, carried)
    assert_close(passed_on, expected)
    assert_close(found, (second(expected) + x).relu())


def test_durn_subtracts_what_it_draws_and_carries_in_two_groups():
    torch.manual_seed(0)
    network, rainy = DuRNSP(8).eval(), torch.rand(1, 3, 20, 28)
    seen = []
    for group in (network.attentive, network.paired):
        for block in group:
            block.register_forward_hook(lambda _, given, result: seen.append((given, result)))
    restored = network(rainy)
    given, result = zip(*seen, strict=True)
    assert len(seen) == 9
    for number, (x, carried) in enumerate(given):
        before = result[number - 1]
        assert carried is (x if number in (0, 3) else before[1])
    drawn = network.enlarge(result[-1][0]).tanh()
    assert_close(restored, rainy - drawn)


@pytest.mark.parametrize('name', SMALL)
@pytest.mark.parametrize('size', [(1, 1), (7, 18), (17, 30), (31, 33)])
def test_any_size(name, size):
    torch.manual_seed(0)
    network = MODELS.build({'type': name, **SMALL[name]}).eval()
    rainy = torch.rand(2, 3, *size)
    with torch.no_grad():
        restored = network(rainy)
    assert restored.shape == rainy.shape
    assert restored.isfinite().all()


@pytest.mark.parametrize('name', MMAGIC)
@pytest.mark.parametrize('size', [(8, 9), (17, 30), (31, 33)])
def test_mmagics_networks_restore_any_size(name, size):
    torch.manual_seed(0)
    network = MODELS.build({'type': name, **MMAGIC[name]}).eval()
    rainy = torch.rand(2, 3, *size)
    with torch.no_grad():
        assert network(rainy).shape == rainy.shape


def test_restormer_has_as_many_parameters_as_printed():
    # 26.13 M in table 1 of FReSH-IR.
    count = sum(p.numel() for p in MODELS.build({'type': 'Restormer'}).parameters())
    assert round(count / 1e6, 2) == 26.13


@pytest.mark.parametrize('name', SMALL)
def test_every_parameter_gets_a_gradient(name):
    torch.manual_seed(0)
    network = MODELS.build({'type': name, **SMALL[name]})
    (network(torch.rand(2, 3, 32, 24)) - torch.rand(2, 3, 32, 24)).square().mean().backward()
    assert not [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]


@pytest.mark.parametrize('wrong', [(EigenNet, 0), (DuRNSP, 0), (DuRNSP, 7)])
def test_options_out_of_range_are_refused(wrong):
    network, channels = wrong
    with pytest.raises(UserError, match=network.__name__):
        network(channels)


@pytest.mark.parametrize('prefix', ['', 'generator.', 'module.', 'generator.module.'])
def test_eigen_weights_of_0_1_0_keep_loading(prefix):
    network = EigenNet(4)
    old_names = {'conv1': 'see', 'conv2': 'mix', 'conv3': 'draw'}
    old = {
        prefix + '.'.join((old_names[layer], parameter)): value
        for layer, parameter, value in (
            (*name.split('.'), value) for name, value in network.state_dict().items()
        )
    }
    own = {('generator.' if 'generator' in prefix else '') + name for name in network.state_dict()}
    found = matching_state(dict.fromkeys(own), old, 'old.pth')
    assert set(found) == own
