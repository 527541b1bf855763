"""PReNet against its published weights and counts, and the converter of those weights."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.evaluation.protocols import PROTOCOLS
from attentive_gan.image_io import read_image
from attentive_gan.models.converters import prenet as prenet_weights
from attentive_gan.models.converters.pickle_file import git_blob_id
from attentive_gan.models.networks.baselines.prenet import PReNet
from mmagic.registry import MODELS
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

VARIANTS = [(cell, shared) for cell in ('lstm', 'gru') for shared in (False, True)]


def published_state(num_blocks=5, seed=0):
    """Random tensors by the published names and shapes."""
    random = torch.Generator().manual_seed(seed)
    channels = {'conv0.0': (32, 6), 'conv.0': (3, 32)}
    channels |= {f'conv_{gate}.0': (32, 64) for gate in 'ifgo'}
    state = {}
    for layer in prenet_weights.published_layers(num_blocks):
        out, into = channels.get(layer, (32, 32))
        state[f'{layer}.weight'] = torch.randn(out, into, 3, 3, generator=random) * 0.06
        state[f'{layer}.bias'] = torch.randn(out, generator=random) * 0.05
    return state


def published_forward(state, rainy, stages=6):
    """The published network in terms of its own tensors, without any module of ours."""

    def conv(name, x):
        return F.conv2d(x, state[f'{name}.weight'], state[f'{name}.bias'], padding=1)

    blocks = 5 if 'res_conv2.0.weight' in state else 1
    restored, h, c = rainy, torch.zeros(1), torch.zeros(1)
    for _ in range(stages):
        x = conv('conv0.0', torch.cat([rainy, restored], 1)).relu()
        joined = torch.cat([x, h.expand_as(x)], 1)
        gates = {gate: conv(f'conv_{gate}.0', joined) for gate in 'ifgo'}
        c = gates['f'].sigmoid() * c + gates['i'].sigmoid() * gates['g'].tanh()
        h = x = gates['o'].sigmoid() * c.tanh()
        for k in range(5):
            name = f'res_conv{min(k, blocks - 1) + 1}'
            x = (conv(f'{name}.2', conv(f'{name}.0', x).relu()).relu() + x).relu()
        restored = conv('conv.0', x) + rainy
    return restored


@pytest.mark.parametrize('blocks', [5, 1])
def test_converted_weights_do_what_the_published_network_does(blocks):
    state = published_state(blocks)
    network = PReNet(shared_blocks=blocks == 1)
    network.load_state_dict(prenet_weights.convert_prenet(state), strict=True)
    rainy = torch.rand(1, 3, 19, 23, generator=torch.Generator().manual_seed(1))
    expected = published_forward(state, rainy)
    with torch.no_grad():
        assert_close(network(rainy), expected, atol=1e-5, rtol=1e-5)
    assert_close(network(rainy), expected, atol=1e-5, rtol=1e-5)


def test_the_gru_follows_its_equations():
    torch.manual_seed(0)
    cell = PReNet(cell='gru', channels=4).cell
    x, hidden = torch.randn(2, 4, 5, 6), torch.randn(2, 4, 5, 6)
    z, b = cell.gates(torch.cat([x, hidden], 1)).sigmoid().split(4, 1)
    g = cell.candidate(torch.cat([b * hidden, x], 1)).tanh()
    assert_close(cell(x, hidden), (1 - z) * hidden + z * g)
    assert_close(cell(x), cell(x, torch.zeros_like(x)))


# Thousands of parameters, as biubiubiiu/derain-toolbox prints them in configs/prenet/README.md.
@pytest.mark.parametrize(
    ('options', 'thousands'),
    [
        ({}, 168.96),
        ({'cell': 'gru'}, 150.50),
        ({'shared_blocks': True}, 94.98),
        ({'cell': 'gru', 'shared_blocks': True}, 76.52),
    ],
)
def test_parameter_counts_are_the_printed_ones(options, thousands):
    network = MODELS.build({'type': 'PReNet', **options})
    assert round(sum(p.numel() for p in network.parameters()) / 1000, 2) == thousands


@pytest.mark.parametrize(('cell', 'shared'), VARIANTS)
def test_any_size_and_a_gradient_for_every_parameter(cell, shared):
    torch.manual_seed(0)
    network = PReNet(num_stages=2, cell=cell, channels=4, shared_blocks=shared)
    for size in [(1, 1), (9, 14)]:
        rainy = torch.rand(2, 3, *size)
        assert network(rainy).shape == rainy.shape
    network(rainy).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_number_of_stages_matters_and_may_change():
    torch.manual_seed(0)
    network, rainy = PReNet(num_stages=1, channels=4), torch.rand(1, 3, 8, 8)
    one = network(rainy)
    network.num_stages = 6
    assert not torch.allclose(one, network(rainy), atol=1e-4)


@pytest.mark.parametrize('wrong', [{'num_stages': 0}, {'channels': 0}, {'cell': 'rnn'}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(UserError, match='PReNet needs'):
        PReNet(**wrong)


@pytest.mark.shared
def test_published_weights_give_the_golden_output(shared):
    path = shared / 'weights' / 'prenet6_rain100h.pth'
    published, blob = prenet_weights.read_prenet_file(path)
    assert 'Rain100H' in prenet_weights.PUBLISHED_BLOBS[blob]
    network = PReNet()
    network.load_state_dict(prenet_weights.convert_prenet(published), strict=True)
    golden = np.load(shared / 'golden' / 'prenet_rain100h.npz')
    with torch.no_grad():
        found = network(torch.from_numpy(golden['input']))
    assert_close(found, torch.from_numpy(golden['output']), atol=1e-5, rtol=0)


@pytest.mark.shared
def test_published_weights_remove_real_benchmark_rain(shared):
    folder = shared / 'data' / 'rain100h'
    rainy, clean = (read_image(folder / kind / '1.png') for kind in ('input', 'target'))
    published, _ = prenet_weights.read_prenet_file(shared / 'weights' / 'prenet6_rain100h.pth')
    network = PReNet()
    network.load_state_dict(prenet_weights.convert_prenet(published))
    with torch.no_grad():
        result = network(torch.from_numpy(rainy).permute(2, 0, 1)[None] / 255)[0]
    restored = (result.permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy()
    # As tools/test.py gave with this pair's config, protocol and weights; docs/baselines.md has the mean.
    assert PROTOCOLS['bt601'].psnr(rainy, clean) == pytest.approx(16.62, abs=0.01)
    assert PROTOCOLS['bt601'].psnr(restored, clean) == pytest.approx(33.59, abs=0.01)


def convert(repository, *arguments):
    tool = repository / 'tools' / 'model_converters' / 'convert_prenet_weights.py'
    command = [sys.executable, str(tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_converter_writes_what_the_editor_loads(repository, tmp_path):
    source, out = tmp_path / 'net_latest.pth', tmp_path / 'converted.pth'
    torch.save(published_state(), source)
    done = convert(repository, source, out, '--allow-unknown')
    assert done.returncode == 0, done.stderr
    assert 'UNKNOWN weights' in done.stdout
    checkpoint = torch.load(out, weights_only=True)
    assert checkpoint['meta'] == {
        'source': 'net_latest.pth', 'git_blob': git_blob_id(source), 'channel_order': 'rgb',
    }  # fmt: skip
    editor = nn.ModuleDict({'generator': PReNet()})
    editor.load_state_dict(checkpoint['state_dict'], strict=True)


def test_the_converter_refuses_unknown_files(repository, tmp_path):
    source, out = tmp_path / 'net_latest.pth', tmp_path / 'x.pth'
    torch.save(published_state(), source)
    done = convert(repository, source, out)
    assert done.returncode == 1
    assert "is not the authors' PReNet" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not out.exists()


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (open, (str(self.path), 'w'))


@pytest.mark.parametrize('kind', ['missing', 'trap', 'list', 'other network', 'other shape'])
def test_other_files_are_refused_even_when_allowed(tmp_path, kind):
    path, state = tmp_path / 'file.pth', published_state()
    if kind == 'trap':
        trap = Trap()
        trap.path = tmp_path / 'executed'
        torch.save({'x': trap}, path)
    elif kind == 'list':
        torch.save([1, 2], path)
    elif kind == 'other network':
        torch.save({**state, 'conv9.weight': torch.zeros(1)}, path)
    elif kind == 'other shape':
        torch.save({**state, 'conv.0.bias': torch.zeros(4)}, path)
    with pytest.raises(UserError):
        prenet_weights.convert_prenet(prenet_weights.read_prenet_file(path, True)[0])
    assert not (tmp_path / 'executed').exists()
