"""Scaled, shuffled and gated generators: shapes, the gate, the reach, and the layout of the upsampling."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.complexity import count_macs
from attentive_gan.models.networks.upsampling import SmoothUpsampling, repeat_first
from support.receptive_field import receptive_field
from torch.nn import functional as F
from torch.testing import assert_close

SMALL = dict(
    num_steps=2, width=0.25, shuffle=2, gated=True, attention_activation='sigmoid', blocks=2,
    dilations=(1, 2, 2, 1), residual=True,
)  # fmt: skip

UNET = dict(channels=(64, 96, 128, 160), blocks=2)


def small(**changes):
    torch.manual_seed(0)
    network = AttentiveGenerator(**(SMALL | changes))
    for parameter in network.autoencoder.output.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


@pytest.mark.parametrize('shuffle', [1, 2, 3, 4])
@pytest.mark.parametrize('size', [(1, 1), (5, 9), (30, 47), (48, 96)])
@torch.no_grad()
def test_outputs_have_the_sizes_of_the_published_network(shuffle, size):
    height, width = size
    output = small(shuffle=shuffle)(torch.rand(2, 3, *size), side_outputs=True)
    assert output.restored.shape == (2, 3, *size)
    assert {m.shape for m in output.attention_maps} == {(2, 1, *size)}
    assert output.half.shape == (2, 3, -(-height // 2), -(-width // 2))
    assert output.quarter.shape == (2, 3, -(-height // 4), -(-width // 4))


@torch.no_grad()
def test_what_the_map_leaves_alone_comes_back_as_it_was():
    network, rainy = small(), torch.rand(1, 3, 32, 48)
    closed = torch.zeros(1, 1, 32, 48)
    assert torch.equal(network.restore_with(rainy, closed), rainy)
    closed[..., 8:16, 8:24] = 1
    changed = (network.restore_with(rainy, closed) != rainy).any(1, keepdim=True)
    assert changed[closed == 1].all()
    assert not changed[closed == 0].any()


@torch.no_grad()
def test_an_untrained_gated_network_changes_nothing():
    rainy = torch.rand(1, 3, 20, 24)
    assert torch.equal(AttentiveGenerator(**SMALL)(rainy), rainy)


@torch.no_grad()
def test_weights_in_bfloat16_restore():
    network, rainy = small(), torch.rand(1, 3, 20, 24)
    expected = network(rainy)
    found = network.bfloat16()(rainy.bfloat16())
    assert_close(found.float(), expected, atol=0.05, rtol=0)


@torch.no_grad()
def test_the_sum_is_float32_under_autocast():
    network, rainy = small(), torch.rand(1, 3, 32, 32)
    with torch.autocast('cpu', torch.bfloat16):
        rough = network(rainy)
    assert rough.dtype == torch.float32
    with torch.autocast('cpu', torch.bfloat16):
        closed = network.restore_with(rainy, torch.zeros(1, 1, 32, 32))
    assert torch.equal(closed, rainy)
    assert_close(rough, network(rainy), rtol=0, atol=0.03)


@torch.no_grad()
def test_attend_and_restore_with_are_the_two_halves():
    network, rainy = small(), torch.rand(1, 3, 30, 47)
    output = network(rainy, side_outputs=True)
    held = network.attend(rainy)
    assert torch.equal(held, output.attention_maps[-1])
    whole = torch.rand(1, 3, 32, 48)
    assert_close(network.restore_with(whole, network.attend(whole)), network(whole))


@pytest.mark.parametrize('shuffle', [1, 2, 4])
def test_reach_is_found_by_gradients(shuffle):
    """No gradient leaves the declared reach, and it is no larger than it must be by a cell."""
    torch.manual_seed(0)
    network = small(shuffle=shuffle, blocks=1, num_steps=1, dilations=(1, 1, 1, 1)).double()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.uniform_(module.weight, 0.01, 0.02)
            torch.nn.init.uniform_(module.bias, 0.1, 0.2)
    reach = receptive_field(network)
    multiple = network.size_multiple
    height = 2 * multiple * -(-(reach.before + reach.after + multiple) // multiple)
    before = after = 0
    for row in range(height // 2, height // 2 + multiple):
        rainy = torch.rand(1, 3, height, multiple, dtype=torch.float64, requires_grad=True)
        network(rainy)[0, :, row].sum().backward()
        rows = rainy.grad.abs().sum((0, 1, 3)).nonzero()
        before, after = max(before, row - int(rows.min())), max(after, int(rows.max()) - row)
    assert before <= reach.before < before + shuffle
    assert after <= reach.after < after + shuffle


def test_costs_less_than_20_gmac_at_720x480():
    config = dict(num_steps=3, width=0.5, shuffle=2, blocks=3)
    assert count_macs(AttentiveGenerator(**config), 480, 720) < 20e9
    with_unet = dict(num_steps=3, attention_width=0.75, blocks=2, shuffle=4, unet=UNET)
    assert count_macs(AttentiveGenerator(**with_unet), 480, 720) < 20e9


@torch.no_grad()
def test_a_unet_takes_the_place_of_the_autoencoder():
    from attentive_gan.models.networks.unet import RestorationUNet

    torch.manual_seed(0)
    unet = RestorationUNet(**UNET, shuffle=2)
    torch.nn.init.normal_(unet.tail.weight, std=0.1)
    network = AttentiveGenerator(shuffle=2, unet=UNET, attention=False).eval()
    network.autoencoder.load_state_dict(unet.state_dict())
    rainy = torch.rand(1, 3, 50, 70)
    multiple = network.size_multiple
    assert multiple == unet.size_multiple == 16
    whole = torch.rand(1, 3, 3 * multiple, 4 * multiple)
    assert_close(network(whole), unet(whole), rtol=0, atol=1e-5)
    output = network(rainy, side_outputs=True)
    assert output.half is None
    assert output.quarter is None
    assert output.restored.shape == rainy.shape


@torch.no_grad()
def test_a_steep_gate_opens_behind_faint_drops_and_closes_where_there_are_none():
    network, rainy = small(gate_slope=4.0), torch.rand(1, 3, 16, 16)
    full = network.restore_with(rainy, torch.ones(1, 1, 16, 16))
    assert torch.equal(
        network._gate(torch.tensor([0.0, 0.1, 0.25, 0.6])), torch.tensor([0, 0.4, 1, 1])
    )
    assert not torch.equal(full, rainy)
    assert torch.equal(network.restore_with(rainy, torch.zeros(1, 1, 16, 16)), rainy)
    with pytest.raises(ValueError, match=r'gate_slope is 0\.5'):
        small(gate_slope=0.5)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'shuffle': 0}, 'shuffle is 0'),
        ({'width': 0}, 'width 0'),
        ({'attention_activation': None}, 'gated=True needs'),
        ({'attention': False}, 'gated=True needs'),
        ({'blocks': 0}, 'at least 1 residual block'),
    ],
)
def test_refuses_what_cannot_work(changes, message):
    with pytest.raises(ValueError, match=message):
        AttentiveGenerator(**(SMALL | changes))


def mirrored_mean(layer, x):
    """The published order: mirror the first row and column, then take the mean."""
    sharp = F.pad(torch.nn.ConvTranspose2d.forward(layer, x), (1, 0, 1, 0), mode='reflect')
    return F.relu(F.avg_pool2d(sharp, 2, stride=1))


@pytest.mark.parametrize('size', [(5, 7), (1, 1), (2, 1)])
def test_upsampling_equals_the_published_order_and_keeps_the_layout(size):
    torch.manual_seed(0)
    layer = SmoothUpsampling(6, 4).double()
    x = torch.rand(2, 6, *size, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    result, expected = layer(ours), mirrored_mean(layer, theirs)
    assert_close(result, expected, rtol=0, atol=1e-12)
    with torch.no_grad():
        assert_close(layer(x), expected, rtol=0, atol=1e-12)
    weight = torch.rand_like(expected)
    (result * weight).sum().backward()
    (expected * weight).sum().backward()
    assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)
    assert result.is_contiguous(memory_format=torch.channels_last)


def test_gradients_of_the_repeated_border_are_right_and_channels_last():
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(repeat_first, (x,))
    seen = []
    maps = torch.rand(2, 8, 4, 5).contiguous(memory_format=torch.channels_last).requires_grad_()
    maps.register_hook(lambda gradient: seen.append(gradient.stride(1)))
    repeat_first(maps).square().sum().backward()
    assert seen == [1]


def test_upsampling_on_cuda_never_pads(monkeypatch):
    """Shown by fake tensors on `cuda`, in training: no padding, channels-last throughout."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    def refuse(*_, **__):
        raise AssertionError('padding returns NCHW on CUDA')

    monkeypatch.setattr(F, 'pad', refuse)
    with FakeTensorMode(allow_non_fake_inputs=True):
        with torch.device('cuda'):
            layer = SmoothUpsampling(6, 4)
        weight = layer.weight.detach().contiguous(memory_format=torch.channels_last)
        layer.weight = torch.nn.Parameter(weight)
        x = torch.empty(2, 6, 5, 7, device='cuda').contiguous(memory_format=torch.channels_last)
        result = layer(x.requires_grad_())
        assert result.shape == (2, 4, 10, 14)
        assert result.is_contiguous(memory_format=torch.channels_last)


def test_restoring_on_cuda_goes_on_in_channels_last():
    """Padding gives NCHW there, as fake tensors know; what the upsampling returns is converted."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(), torch.device('cuda'), torch.no_grad():
        x = torch.empty(2, 8, 5, 7).contiguous(memory_format=torch.channels_last)
        padded = F.pad(x, (1, 0, 1, 0), mode='replicate')
        assert not padded.is_contiguous(memory_format=torch.channels_last)
        assert repeat_first(x).is_contiguous(memory_format=torch.channels_last)
