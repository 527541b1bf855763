"""A2Net against its published weights, and the converter of those weights."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from attentive_gan.errors import UserError
from attentive_gan.evaluation.protocols import PROTOCOLS
from attentive_gan.image_io import read_image
from attentive_gan.models.converters import a2net as a2net_weights
from attentive_gan.models.converters import prenet as prenet_weights
from attentive_gan.models.converters.pickle_file import git_blob_id
from attentive_gan.models.networks.baselines.a2net import A2Net
from attentive_gan.models.networks.baselines.prenet import PReNet
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close


def published_state():
    """Random tensors by the published names: our own, renamed."""
    torch.manual_seed(0)
    own = A2Net().state_dict()
    return {
        f'{published}.{kind}': own[f'{ours}.{kind}']
        for published, ours in a2net_weights.PUBLISHED_LAYERS.items()
        for kind in ('weight', 'bias')
    }


def with_weights(network, read, convert, path):
    """A network with published weights, which its reader knows by their content."""
    network.load_state_dict(convert(read(path)[0]), strict=True)
    return network.eval()


A2NET = (A2Net, a2net_weights.read_a2net_file, a2net_weights.convert_a2net)
PRENET = (PReNet, prenet_weights.read_prenet_file, prenet_weights.convert_prenet)


@pytest.mark.shared
def test_published_weights_give_the_golden_output(shared):
    build, *how = A2NET
    published = with_weights(build(), *how, shared / 'weights' / 'a2net_raindrop.pth')
    golden = np.load(shared / 'golden' / 'a2net_raindrop.npz')
    yuv = torch.from_numpy(golden['yuv_input'])
    with torch.no_grad():
        found = yuv + published.change(yuv)
    assert_close(found, torch.from_numpy(golden['yuv_output']), atol=1e-5, rtol=0)


@pytest.mark.shared
@pytest.mark.parametrize(
    ('published', 'name', 'psnr', 'ssim'),
    [
        (A2NET, 'a2net_raindrop', 25.58, 0.8527),
        (PRENET, 'prenet6_raindrop', 24.16, 0.8343),
    ],
)
def test_published_weights_have_their_scores_on_real_pairs(shared, published, name, psnr, ssim):
    build, *how = published
    restorer = with_weights(build(), *how, shared / 'weights' / f'{name}.pth')
    scores = []
    for path in sorted((shared / 'data' / 'raindrop_train_pairs' / 'data').iterdir()):
        clean = read_image(path.parents[1] / 'gt' / path.name.replace('rain', 'clean'))
        image = torch.from_numpy(read_image(path)).permute(2, 0, 1)[None] / 255
        with torch.no_grad():
            restored = (restorer(image)[0].permute(1, 2, 0).clamp(0, 1) * 255).round()
        pixels = restored.byte().numpy()
        scores.append(
            [score(pixels, clean) for score in (PROTOCOLS['qian'].psnr, PROTOCOLS['qian'].ssim)]
        )
    assert len(scores) == 4
    mean = np.mean(scores, 0)
    assert mean[0] == pytest.approx(psnr, abs=0.1)
    assert mean[1] == pytest.approx(ssim, abs=0.003)


def test_it_has_as_many_parameters_as_published():
    assert sum(parameter.numel() for parameter in A2Net().parameters()) == 402_803


def test_colours_are_those_of_opencv():
    colours = np.array([[[90, 120, 160], [200, 180, 140], [0, 0, 0], [255, 255, 255]]], np.uint8)
    network = A2Net(4, 3, 1)
    rgb = torch.from_numpy(colours).permute(2, 0, 1)[None] / 255
    found = F.conv2d(rgb, network.to_yuv, network.offset)[0].permute(1, 2, 0) * 255
    expected = cv2.cvtColor(colours, cv2.COLOR_RGB2YUV)  # rounded twice
    assert np.abs(found.numpy() - expected).max() < 1
    back = network.to_rgb.flatten(1) @ network.to_yuv.flatten(1)
    assert_close(back, torch.eye(3), atol=1e-6, rtol=0)


@pytest.mark.parametrize('size', [(24, 32), (13, 21)])
def test_a_network_that_draws_nothing_keeps_the_image_and_luma_moves_all_colours_alike(size):
    network, rainy = A2Net(4, 3), torch.rand(2, 3, *size)
    for tail in (network.luma.tail, network.chroma.tail):
        nn.init.zeros_(tail.weight)
        nn.init.zeros_(tail.bias)
    assert torch.equal(network(rainy), rainy)
    nn.init.constant_(network.luma.tail.bias, 0.1)
    assert_close(network(rainy), rainy + torch.tensor(0.1).tanh())


@pytest.mark.parametrize('wrong', [{'channels': 0}, {'chroma_channels': 0}, {'levels': 0}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(UserError, match='A2Net needs'):
        A2Net(**wrong)


def convert(repository, *arguments):
    tool = repository / 'tools' / 'model_converters' / 'convert_a2net_weights.py'
    command = [sys.executable, str(tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_converter_writes_what_the_editor_loads(repository, tmp_path):
    source, out = tmp_path / 'latest_net_G.pth', tmp_path / 'converted.pth'
    torch.save(published_state(), source)
    done = convert(repository, source, out, '--allow-unknown')
    assert done.returncode == 0, done.stderr
    assert 'UNKNOWN weights' in done.stdout
    checkpoint = torch.load(out, weights_only=True)
    assert checkpoint['meta'] == {
        'source': 'latest_net_G.pth', 'git_blob': git_blob_id(source), 'channel_order': 'rgb',
    }  # fmt: skip
    editor = nn.ModuleDict({'generator': A2Net()})
    editor.load_state_dict(checkpoint['state_dict'], strict=True)


def test_the_converter_refuses_unknown_files(tmp_path):
    source = tmp_path / 'latest_net_G.pth'
    torch.save(published_state(), source)
    with pytest.raises(UserError, match="is not the authors' A2Net"):
        a2net_weights.read_a2net_file(source)
    with pytest.raises(UserError, match='not the published weights'):
        a2net_weights.convert_a2net({**published_state(), 'more.weight': torch.zeros(1)})
