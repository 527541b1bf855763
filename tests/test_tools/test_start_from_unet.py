"""The start of an attentive generator from a U-Net, through its command line."""

from __future__ import annotations

import subprocess
import sys

import attentive_gan.registration  # noqa: F401
import pytest
import torch
from attentive_gan.models.networks.unet import RestorationUNet
from mmagic.registry import MODELS
from mmengine.config import Config
from safetensors.torch import save_file
from support.lively_networks import lively
from torch.testing import assert_close

UNET = dict(channels=(4, 8), blocks=1)
CONFIG = """
model = dict(
    type='AttentiveGAN',
    generator=dict(
        type='AttentiveGenerator', num_steps=1, attention_activation='sigmoid', attention_width=0.125,
        blocks=1, shuffle=2, gated=True, gate_slope=4.0, unet={unet},
    ),
    pixel_loss=dict(type='MultiScaleLoss', weights=(0.0, 0.0, 1.0)),
    ema=dict(momentum=0.001),
)
"""


def convert(repository, folder, unet=UNET, shuffle=2, config=CONFIG):
    """Write a U-Net and a config whose generator has one, and run the tool on them."""
    network = lively(RestorationUNet(**UNET, shuffle=shuffle))
    save_file(network.state_dict(), str(folder / 'unet.safetensors'))
    (folder / 'config.py').write_text(config.replace('{unet}', repr(unet)))
    tool = repository / 'tools' / 'model_converters' / 'start_from_unet.py'
    command = [sys.executable, tool, folder / 'unet.safetensors', folder / 'start.pth']
    command += ['--config', folder / 'config.py']
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120)
    return done, network


def test_the_start_is_the_unet_where_the_gate_is_open(repository, tmp_path):
    done, unet = convert(repository, tmp_path)
    assert done.returncode == 0, done.stderr
    state = torch.load(tmp_path / 'start.pth', weights_only=True)['state_dict']
    model = MODELS.build(Config.fromfile(str(tmp_path / 'config.py')).model)
    found = model.load_state_dict(state, strict=False)
    assert not found.unexpected_keys
    assert not [name for name in found.missing_keys if name.startswith('generator')]
    rainy = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    opened, shut = torch.ones(2, 1, 16, 24), torch.zeros(2, 1, 16, 24)
    opened[1] = 0.25  # the slope makes 1 of it
    for generator in (model.generator, model.generator_ema.module):
        with torch.no_grad():
            assert_close(generator.restore_with(rainy, opened), unet(rainy))
            assert_close(generator.restore_with(rainy, shut), rainy, rtol=0, atol=0)
    assert not torch.allclose(unet(rainy), rainy, atol=1e-2)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(unet=None), 'its generator has no U-Net'),
        (dict(unet=UNET | dict(blocks=2)), 'must have the channels and blocks'),
        (dict(unet=UNET | dict(channels=(8, 8))), 'has no place'),
        (dict(unet=UNET | dict(channels=(4,))), 'has no place'),
        (dict(shuffle=4), 'has no place'),
        (dict(config="model = dict(type='BaseEditModel')"), 'its generator has no U-Net'),
    ],
)
def test_a_config_with_another_network_is_refused(repository, tmp_path, changes, message):
    done, _ = convert(repository, tmp_path, **changes)
    assert done.returncode == 1
    assert done.stderr.startswith('error: ')
    assert message in done.stderr
    assert 'Traceback' not in done.stderr
    assert not (tmp_path / 'start.pth').exists()
