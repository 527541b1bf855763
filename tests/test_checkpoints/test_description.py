"""Descriptions in weights files: a registered network and plain values, nothing else."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import asdict, replace

import pytest
import torch
from attentive_gan.checkpoints.config_description import describe
from attentive_gan.checkpoints.description import (
    WeightsDescription,
    build_described,
    parse_description,
    read_description,
)
from attentive_gan.checkpoints.publishing import save_weights
from attentive_gan.checkpoints.shipped import SHIPPED
from attentive_gan.config.reading import load_config
from attentive_gan.errors import UserError
from attentive_gan.inference import ImageRestorer
from attentive_gan.inference.loading import load_network
from attentive_gan.models.networks.unet import RestorationUNet
from support.runs import REPOSITORY

GENERATOR = dict(type='RestorationUNet', channels=[4, 6], blocks=1, shuffle=2)
DESCRIPTION = WeightsDescription('small', 'BaseEditModel', GENERATOR, 'bgr', '', 'nothing')


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    network = RestorationUNet(channels=(4, 6), blocks=1, shuffle=2)
    torch.nn.init.normal_(network.tail.weight, std=0.1)
    path = tmp_path / 'small.safetensors'
    save_weights(network.state_dict(), path, DESCRIPTION)
    return path


def with_generator(**changes):
    return json.dumps(asdict(replace(DESCRIPTION, generator={**GENERATOR, **changes})))


def test_a_file_that_describes_itself_needs_no_config(weights):
    loaded = load_network(None, str(weights), torch.device('cpu'))
    assert (loaded.name, loaded.channel_order) == ('small', 'bgr')
    assert len(loaded.weights_sha256) == 64
    state = loaded.network.state_dict()
    assert float(state['tail.weight'].std()) == pytest.approx(0.1, rel=0.2)
    assert not loaded.network.training


@pytest.mark.parametrize(
    'changes',
    [
        dict(type='os.system'),
        dict(type='torch.nn.Identity'),
        dict(type='mmagic::RestorationUNet'),
        dict(type='PerceptualLoss'),  # MMagic's: fetches weights when it is built
        dict(type='VGGPerceptualLoss'),
        dict(type='AttentiveGAN'),
        dict(type=['RestorationUNet']),
        dict(type=None),
        dict(blocks=dict(type='os.system', command='true')),
        dict(channels=[4, dict(type='builtins.exec')]),
        dict(channels=[[dict(x=dict(type='subprocess.run'))]]),
        dict(_scope_='os'),
        dict(init_cfg=dict(type='Pretrained', checkpoint='http://x/y.pth')),
        dict(pretrained='x'),
        dict(blocks='../../weights.pth'),
        dict(blocks='http://x'),
        dict(blocks='os.system'),
        dict(blocks=float('nan')),
        dict(blocks=10**9),
        dict(type='AttentiveGenerator', num_steps=60_000),
        dict(type='PReNet', num_stages=60_000),
        dict(channels=[1] * 1000),
    ],
)
def test_hostile_descriptions_are_refused(changes):
    with pytest.raises(UserError, match='its description'):
        parse_description(with_generator(**changes), 'x.safetensors')


@pytest.mark.parametrize(
    'text',
    [
        'no json', '[' * 100_000, '[]', '{}', 'null',
        json.dumps({**asdict(DESCRIPTION), 'channel_order': 'grb'}),
        json.dumps({**asdict(DESCRIPTION), 'name': '../../evil'}),
        json.dumps({**asdict(DESCRIPTION), 'name': 'a\x1b[2Jb'}),
        json.dumps({**asdict(DESCRIPTION), 'trained_on': ['x']}),
        json.dumps({**asdict(DESCRIPTION), 'generator': 'RestorationUNet'}),
    ],
)  # fmt: skip
def test_damaged_descriptions_are_refused(text):
    with pytest.raises(UserError, match=r'x\.safetensors: its'):
        parse_description(text, 'x.safetensors')


def test_no_code_of_a_description_is_run(weights, tmp_path):
    """The same file, its description replaced: MMEngine's own builder would call `os.system`."""
    trap = tmp_path / 'trap'
    hostile = replace(DESCRIPTION, generator=dict(type='os.system', command=f'touch {trap}'))
    save_weights({'a': torch.zeros(1)}, weights, hostile)
    with pytest.raises(UserError, match='description'):
        ImageRestorer(weights=str(weights))
    assert not trap.exists()


def test_no_code_of_a_checkpoint_is_run(tmp_path):
    trap = tmp_path / 'trap'

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(trap),)

    path = tmp_path / 'evil.pth'
    path.write_bytes(pickle.dumps({'state_dict': Evil()}))
    config = REPOSITORY / 'configs' / 'unet_rendered.py'
    with pytest.raises(UserError, match=r'evil\.pth'):
        ImageRestorer(str(config), str(path))
    assert not trap.exists()


def test_arguments_and_weights_that_do_not_fit_are_named(weights):
    for generator, message in (
        (dict(GENERATOR, colours=3), 'does not fit the network RestorationUNet'),
        (dict(GENERATOR, blocks=2), 'do not fit'),
        (dict(GENERATOR, channels=[60000, 60000]), 'do not fit'),  # would take 500 GB
        (dict(GENERATOR, blocks=0), 'blocks'),
    ):
        with pytest.raises(UserError, match=message):
            build_described(replace(DESCRIPTION, generator=generator), weights)


@pytest.mark.parametrize(
    'generator',
    [
        dict(GENERATOR, blocks=60_000),
        dict(GENERATOR, channels=[4] * 60, blocks=60_000),
        dict(type='NAFNet', enc_blk_nums=[60_000]),
    ],
)
def test_a_huge_network_is_refused_at_once(weights, generator):
    """By the number of its parts, before they are built: time and memory do not grow with the number."""
    built = 0

    def count(*_):
        nonlocal built
        built += 1

    handle = torch.nn.modules.module.register_module_module_registration_hook(count)
    try:
        with pytest.raises(UserError, match=r'small\.safetensors: its description'):
            build_described(replace(DESCRIPTION, generator=generator), weights)
    finally:
        handle.remove()
    assert built < 2000


def test_files_without_description_ask_for_a_config(weights, tmp_path):
    save_weights({'a': torch.zeros(1)}, weights, None)
    assert read_description(weights) is None
    checkpoint = tmp_path / 'a.pth'
    torch.save({'a': torch.zeros(1)}, checkpoint)
    for path in (weights, checkpoint):
        with pytest.raises(UserError, match='--config'):
            ImageRestorer(weights=str(path))


@pytest.mark.parametrize('name', sorted(SHIPPED))
def test_shipped_weights_say_what_their_config_says(name):
    weights = SHIPPED[name]
    found = read_description(weights.path)
    expected = describe(load_config(str(REPOSITORY / weights.config)), weights.config)
    assert found is not None
    assert (found.name, found.task, found.generator, found.channel_order) == (
        expected.name, expected.task, expected.generator, expected.channel_order,
    )  # fmt: skip


def test_every_config_can_be_described():
    configs = [p for p in (REPOSITORY / 'configs').rglob('*.py') if '_base_' not in p.parts]
    for path in configs:
        config = load_config(str(path))
        described = describe(config, str(path))
        assert parse_description(described.to_json(), str(path)) == described
