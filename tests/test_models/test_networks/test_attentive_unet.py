"""The attentive generator with a U-Net in the place of the autoencoder."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
import torch
from attentive_gan.checkpoints.config_description import describe
from attentive_gan.checkpoints.description import parse_description, read_description
from attentive_gan.config.reading import load_config
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer, execution
from attentive_gan.models.networks.attentive_generator import AttentiveGenerator
from attentive_gan.models.networks.unet import RestorationUNet
from attentive_gan.utils.checkpoint_io import write_checkpoint
from support.lively_networks import ATTENTIVE_UNET, lively
from support.runs import REPOSITORY, tool
from torch.nn import functional as F
from torch.testing import assert_close


def network(**changes):
    return lively(AttentiveGenerator(**(ATTENTIVE_UNET | changes)))


@pytest.mark.parametrize('shuffle', [1, 2, 4])
@pytest.mark.parametrize('size', [(1, 1), (5, 9), (30, 47), (48, 96)])
@torch.no_grad()
def test_any_size_and_no_side_outputs(shuffle, size):
    output = network(shuffle=shuffle)(torch.rand(2, 3, *size), side_outputs=True)
    assert output.restored.shape == (2, 3, *size)
    assert [m.shape for m in output.attention_maps] == [(2, 1, *size)] * 2
    assert output.half is output.quarter is None


@torch.no_grad()
def test_the_result_is_the_image_and_the_gated_change():
    """By its parts: pixels gathered, maps drawn, a `RestorationUNet` on both, pixels spread again."""
    made, rainy = network(), torch.rand(1, 3, 16, 24)
    gathered = F.pixel_unshuffle(rainy, 2)
    drawn = made.attention(gathered, 2)[-1]
    unet = RestorationUNet((8, 12), blocks=1, shuffle=1, in_channels=16, out_channels=12).eval()
    unet.load_state_dict(made.autoencoder.state_dict())
    change = F.pixel_shuffle(unet.change(torch.cat((gathered, drawn), 1)), 2)
    expected = rainy + F.pixel_shuffle(drawn, 2) * change
    assert_close(made(rainy), expected, rtol=1e-5, atol=1e-5)
    assert_close(network(gated=False)(rainy), rainy + change, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_what_the_map_leaves_alone_comes_back_as_it_was():
    made, rainy = network(), torch.rand(1, 3, 32, 48)
    closed = torch.zeros(1, 1, 32, 48)
    assert torch.equal(made.restore_with(rainy, closed), rainy)
    closed[..., 8:16, 8:24] = 1
    changed = (made.restore_with(rainy, closed) != rainy).any(1, keepdim=True)
    assert torch.equal(changed, closed == 1)
    assert torch.equal(AttentiveGenerator(**ATTENTIVE_UNET)(rainy), rainy)  # untrained


def test_all_weights_learn():
    torch.manual_seed(0)
    made = AttentiveGenerator(**ATTENTIVE_UNET)
    lively(made).requires_grad_(True)
    output = made(torch.rand(2, 3, 16, 16), side_outputs=True)
    (output.restored.square().mean() + output.attention_maps[0].mean()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.parameters())


def test_wrong_options_of_the_unet_are_refused():
    with pytest.raises(UserError, match='channels, blocks and shuffle'):
        AttentiveGenerator(unet=dict(channels=()))
    with pytest.raises(TypeError, match='shuffle'):
        AttentiveGenerator(unet=dict(shuffle=2))


def test_its_nested_config_is_described():
    path = REPOSITORY / 'configs' / 'attgan_small.py'
    described = describe(load_config(str(path)), str(path))
    assert described.generator['unet'] == dict(channels=[64, 96, 128, 160], blocks=2)
    assert parse_description(described.to_json(), 'x') == described


def test_published_weights_restore_streamed_as_whole(tmp_path, monkeypatch):
    """From a training's checkpoint, of which the averaged generator is taken, without the config."""
    config = tmp_path / 'nested.py'
    config.write_text(
        f'_base_ = ["{REPOSITORY}/configs/attgan_small.py"]\n'
        f'model = dict(generator=dict(_delete_=True, type="AttentiveGenerator", **{ATTENTIVE_UNET}))\n'
    )
    averaged = network()
    state = {f'generator_ema.module.{k}': v for k, v in averaged.state_dict().items()}
    state |= {f'generator.{k}': torch.zeros_like(v) for k, v in averaged.state_dict().items()}
    state['generator_ema.steps'] = torch.tensor(7)
    checkpoint, weights = tmp_path / 'iter_7.pth', tmp_path / 'nested.safetensors'
    write_checkpoint({'state_dict': state, 'meta': {'iter': 7}}, checkpoint)
    ended = tool('model_converters/publish_weights.py', checkpoint, weights, '--config', config)
    assert ended.returncode == 0, ended.stderr
    described = read_description(weights)
    assert (described.name, described.iterations) == ('nested', '7')
    assert described.generator['unet'] == ATTENTIVE_UNET['unet']

    pixels = np.random.default_rng(0).integers(0, 256, (150, 90, 3), dtype=np.uint8)
    whole = ImageRestorer(weights=str(weights), device='cpu', precision='float32')
    parts = ImageRestorer(weights=str(weights), device='cpu', precision='float32', tile=40)
    restored = whole.restore(pixels, attention=True)
    rainy = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        expected = averaged.half().float()(rainy)[0].permute(1, 2, 0).clamp(0, 1) * 255
    difference = np.abs(restored.image - expected.numpy())
    assert difference.max() < 1.5
    assert np.abs(restored.image.astype(int) - pixels).mean() > 1  # it does change the image
    monkeypatch.setattr(execution, 'run_streamed', streaming := Mock(wraps=execution.run_streamed))
    streamed = parts.restore(pixels, attention=True)
    assert streaming.called
    assert np.abs(streamed.image.astype(int) - restored.image).max() <= 1
    assert np.abs(streamed.attention - restored.attention).max() < 1e-4
