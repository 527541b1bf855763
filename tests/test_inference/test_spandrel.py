"""Weights of other projects by their path alone: spandrel recognises the network, and no code is run."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from attentive_gan import ImageRestorer
from attentive_gan.checkpoints import spandrel_network
from attentive_gan.checkpoints.shipped import shipped_weights
from attentive_gan.errors import UserError
from attentive_gan.inference import execution
from attentive_gan.models.networks.unet import RestorationUNet
from safetensors.torch import save_file
from support.foreign_networks import SAME_SIZE, foreign_weights
from support.runs import tool

spandrel = pytest.importorskip('spandrel', reason='spandrel is not installed')


def photo(height, width, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def by_spandrel(state, image):
    """What spandrel itself returns, as 8 bits."""
    descriptor = spandrel.ModelLoader().load_from_state_dict(dict(state))
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    return (descriptor(pixels)[0].permute(1, 2, 0) * 255).round().byte().numpy()


@pytest.fixture
def saved(tmp_path):
    def save(content, name='theirs.pth'):
        torch.save(content, tmp_path / name)
        return str(tmp_path / name)

    return save


def restorer(path, **options):
    return ImageRestorer(weights=path, precision='float32', device='cpu', **options)


@pytest.mark.parametrize('name', SAME_SIZE)
@pytest.mark.filterwarnings('ignore')
def test_results_are_those_of_spandrel(name, saved):
    state = foreign_weights(name)
    own = restorer(saved({'params': state}))
    assert own.loaded.network.architecture.replace(' ', '').replace('-', '').endswith(name)
    for size in ((45, 51), (13, 21)):
        image = photo(*size)
        expected = by_spandrel(state, image)
        restored = own.restore(image).image
        assert restored.shape == image.shape
        assert np.abs(restored.astype(int) - expected).max() <= 1
        assert expected.std() > 10


@pytest.mark.parametrize('name', ['DnCNN', 'Compact', 'SPAN'])
def test_local_networks_are_run_row_by_row_with_the_same_result(name, saved):
    state = foreign_weights(name)
    own = restorer(saved(state), tile=16)
    assert own.reach is not None
    image = photo(37, 61)
    assert np.abs(own.restore(image).image.astype(int) - by_spandrel(state, image)).max() <= 1


WRAPPED = {
    'average': lambda state: {'params': {k: v + 1 for k, v in state.items()}, 'params_ema': state},
    'module': lambda state: {'state_dict': {f'module.{k}': v for k, v in state.items()}},
    'compiled': lambda state: {f'_orig_mod.{k}': v for k, v in state.items()},
    'lightning': lambda state: {
        'state_dict': {f'net.{k}': v for k, v in state.items()},
        'epoch': 3,
    },
    'deeper': lambda state: {f'model.generator.{k}': v for k, v in state.items()},
}


@pytest.mark.parametrize('wrapper', WRAPPED)
def test_wrapped_weights(wrapper, saved):
    state = foreign_weights('NAFNet')
    image = photo(20, 30)
    restored = restorer(saved(WRAPPED[wrapper](state))).restore(image).image
    assert np.array_equal(restored, by_spandrel(state, image))


@pytest.mark.parametrize('prefix', ['net.', 'model.net.', 'net._orig_mod.module.'])
def test_other_parts_of_a_lightning_module_are_ignored_and_named(prefix, saved):
    state, notes = foreign_weights('NAFNet'), []
    held = {f'{prefix}{name}': value for name, value in state.items()}
    others = {f'metric.{name}': torch.ones(2) for name in 'abc'} | {'weight': torch.ones(3)}
    path = saved({'state_dict': {'loss.weight': torch.ones(3), **held, **others}, 'epoch': 3})
    image = photo(20, 30)
    restored = restorer(path, notify=notes.append).restore(image).image
    assert np.array_equal(restored, by_spandrel(state, image))
    assert len(notes) == 1
    assert 'net' in notes[0]
    assert 'ignored are loss.weight, metric.a, metric.b and 2 more' in notes[0]


def test_a_network_and_its_average_are_refused_with_a_command_that_helps(saved, tmp_path):
    state = foreign_weights('NAFNet')
    average = {f'net_ema.{name}': value + 0.1 for name, value in state.items()}
    held = {f'net.{name}': value for name, value in state.items()}
    path = saved({'state_dict': {**held, **average, 'loss.weight': torch.ones(3)}})
    with pytest.raises(UserError, match='several networks: net, net_ema; keep the right') as caught:
        restorer(path)
    code = str(caught.value).partition('python -c "')[2].removesuffix('"')
    subprocess.run([sys.executable, '-c', code], cwd=tmp_path, check=True, timeout=120)
    image = photo(20, 30)
    restored = restorer(str(tmp_path / 'one.pth')).restore(image).image
    assert np.array_equal(restored, by_spandrel(state, image))


def test_safetensors_without_a_description(tmp_path):
    state = foreign_weights('NAFNet')
    save_file(state, tmp_path / 'theirs.safetensors')
    image = photo(20, 30)
    restored = restorer(str(tmp_path / 'theirs.safetensors')).restore(image).image
    assert np.array_equal(restored, by_spandrel(state, image))


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('larger', r'holds RealESRGAN Compact, which returns images 4 times as large; expected'),
        ('grey', r'holds DnCNN, which maps 1 channels to 1; expected a network from RGB'),
    ],
)
def test_other_tasks_are_refused_by_name(name, message, saved):
    with pytest.raises(UserError, match=message):
        restorer(saved(foreign_weights(name)))


def test_networks_that_need_a_mask_are_refused(tmp_path):
    masked = SimpleNamespace(architecture=SimpleNamespace(name='LaMa'))
    with pytest.raises(UserError, match='holds LaMa, which needs a mask'):
        spandrel_network._check_task(masked, tmp_path / 'theirs.pth')


def test_several_networks_are_refused(saved):
    state = foreign_weights('NAFNet')
    other = {name: value + 1 for name, value in state.items()}
    with pytest.raises(
        UserError, match='several sets of weights: net_a, net_b; keep the right one'
    ):
        restorer(saved({'net_a': state, 'net_b': other}))


def test_unknown_weights_ask_for_their_config(saved):
    state = RestorationUNet(channels=[4, 6], blocks=1).state_dict()
    with pytest.raises(UserError, match=r'theirs\.pth: neither .* recognises .*name the config'):
        restorer(saved({f'generator.{name}': value for name, value in state.items()}))


def test_weights_that_almost_fit_are_refused(saved):
    state = foreign_weights('NAFNet')
    state['encoders.0.0.conv2.weight'] = torch.ones(5, 1, 3, 3)
    with pytest.raises(UserError, match=r'theirs\.pth looks like NAFNet and does not fit it: '):
        restorer(saved(state))


def test_without_spandrel(saved, monkeypatch):
    path, find = saved(foreign_weights('NAFNet')), importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name == 'spandrel' else find(name)
    )
    message = r'does not describe its network; name the config .*\(--config\), or run: pip install spandrel'
    with pytest.raises(UserError, match=message):
        restorer(path)


def test_own_descriptions_come_first(monkeypatch):
    monkeypatch.setattr(spandrel_network, 'build_by_spandrel', None)
    assert restorer(str(shipped_weights('attgan_pool').path)).name == 'attgan_pool'


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_code_in_a_file_is_not_run(saved, tmp_path):
    path = saved({'params': foreign_weights('NAFNet'), 'more': Harmful(str(tmp_path / 'made'))})
    with pytest.raises(UserError, match='asks for'):
        restorer(path)
    assert not (tmp_path / 'made').exists()


def _expanded(state):
    state['intro.weight'] = torch.ones(1).expand(100_000, 3, 3, 3)


def _empty(state):
    state['intro.weight'] = torch.ones(100_000, 0, 3, 3)


def _many_blocks(state):
    state['encoders.900000.0.conv1.weight'] = torch.ones(1)
    state['encoders.0.900000.conv1.weight'] = torch.ones(1)


def _wide(state):
    state['intro.weight'] = torch.ones(6_000, 3, 1, 1)


@pytest.mark.parametrize('change', [_expanded, _empty, _many_blocks, _wide])
def test_networks_much_larger_than_their_file_are_refused(change, saved):
    state = foreign_weights('NAFNet')
    change(state)
    with pytest.raises(UserError, match='refused'):
        restorer(saved(state))


def test_what_does_not_fit_the_memory_is_tiled(saved, monkeypatch):
    """NAFNet takes the mean over the image; its tiles differ a little, which is said."""
    notes = []
    own = restorer(saved(foreign_weights('NAFNet')), notify=notes.append)
    image = np.kron(photo(20, 30), np.ones((16, 16, 1), np.uint8))
    whole = own.restore(image).image
    assert not notes
    sizes, network = [], own.loaded.network
    network.register_forward_pre_hook(lambda module, inputs: sizes.append(inputs[0].shape[2:]))
    taken = (
        own.loaded.recording('restore', torch.float32).bytes_per_pixel
        * execution._FOREIGN_SURCHARGE
    )
    monkeypatch.setattr(execution, 'working_memory', lambda *_: int(taken * 260**2))
    tiled = own.restore(image).image
    assert len(sizes) > 2
    assert all(h * w <= 260**2 for h, w in sizes)
    assert any('tiles with a halo of 64 pixels give something else' in note for note in notes)
    assert np.abs(tiled.astype(int) - whole).mean() < 3
    monkeypatch.setattr(execution, 'working_memory', lambda *_: int(taken * 150**2))
    with pytest.raises(UserError, match='raise --memory, or choose --tile'):
        own.restore(image)


_WITHIN_BUDGET = """
import sys
import numpy as np
from attentive_gan import ImageRestorer
from resident_memory import peak, resident
made = ImageRestorer(weights=sys.argv[1], device='cpu', precision='float32')
made.restore(np.zeros((96, 96, 3), np.uint8))
budget = resident() + 320
made.memory = int(budget * 2**20)
made.restore(np.zeros((640, 640, 3), np.uint8))
print(budget, peak())
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_tiles_stay_within_the_memory_budget(saved):
    """FFTformer: its inverse transforms copy what they read, and its tiles leave memory in pieces."""
    support = Path(__file__).parent.parent / 'support'
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', _WITHIN_BUDGET, saved(foreign_weights('FFTformer'))],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([*sys.path, str(support)])},
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    budget, peak = map(float, done.stdout.split())
    assert peak < budget


def test_types_that_a_network_does_not_support(saved, monkeypatch):
    from attentive_gan.inference import image_restorer

    path = saved(foreign_weights('NAFNet'))
    monkeypatch.setattr(image_restorer, 'choose_precision', lambda *_: torch.float16)
    assert ImageRestorer(weights=path, device='cpu').dtype == torch.float32
    with pytest.raises(UserError, match='--precision float16: theirs does not support it'):
        ImageRestorer(weights=path, device='cpu', precision='float16')


def test_the_command(saved, tmp_path):
    from attentive_gan.image_io import read_image, write_image

    state = foreign_weights('NAFNet')
    write_image(tmp_path / 'photo.png', photo(20, 30))
    out = tmp_path / 'out.png'
    done = tool(
        'restore.py', tmp_path / 'photo.png', '-o', out, '-w', saved({'params': state}),
        '--precision', 'float32', '--device', 'cpu',
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert np.array_equal(read_image(out), by_spandrel(state, photo(20, 30)))
