"""A checkpoint of a training needs no config: restoring, testing, exporting, the leaderboard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from attentive_gan.config.stored_config import read_stored_config
from attentive_gan.errors import UserError
from attentive_gan.export import export
from attentive_gan.inference import ImageRestorer
from attentive_gan.leaderboard.entries import parse_entry
from attentive_gan.leaderboard.network_source import NetworkSource
from support.runs import REPOSITORY, data_options, tool, write_pairs

CONFIG = """
_base_ = [{base!r}]
model = dict(generator=dict(type='RestorationUNet', channels=[4, 6], blocks=1, shuffle=2))
train_cfg = dict(max_iters=2, val_interval=2)
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)
default_hooks = dict(sample_grid=None, checkpoint=dict(interval=2))
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
"""


@pytest.fixture(scope='module')
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Return a config, its checkpoint after two iterations, and the data."""
    folder = tmp_path_factory.mktemp('described')
    config = folder / 'my_unet.py'
    base = REPOSITORY / 'configs' / 'unet' / 'unet_1xb8-100k_raindrop.py'
    config.write_text(CONFIG.format(base=str(base)))
    data = write_pairs(folder / 'pairs', size=(272, 288))
    options = ['--cfg-options', *data_options(data)]
    done = tool('train.py', config, '--work-dir', folder / 'run', *options)
    assert done.returncode == 0, done.stderr
    return config, folder / 'run' / 'iter_2.pth', data


def test_a_checkpoint_restores_without_its_config(
    trained: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    config, weights, _ = trained
    own = ImageRestorer(weights=str(weights), precision='float32')
    configured = ImageRestorer(str(config), str(weights), precision='float32')
    image = np.random.default_rng(0).integers(0, 256, (40, 52, 3)).astype(np.uint8)
    assert np.array_equal(own.restore(image).image, configured.restore(image).image)
    assert own.name == configured.name == 'my_unet'
    written = export(None, str(weights), tmp_path / 'own.safetensors', 'safetensors').path
    again = ImageRestorer(weights=str(written), precision='float32')
    assert np.array_equal(again.restore(image).image, own.restore(image).image)
    entry = parse_entry(f'mine={weights}')
    assert parse_entry(entry.argument) == entry
    source = NetworkSource(None, None, entry.source, 'cpu')
    assert np.array_equal(source.restorer.restore(image).image, own.restore(image).image)


def test_a_checkpoint_is_tested_by_the_config_in_it(
    trained: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    _, weights, data = trained
    out, work_dir = tmp_path / 'scores.json', tmp_path / 'test'
    options = ['--cfg-options', *data_options(data)]
    done = tool('test.py', '-', weights, '--out', out, '--work-dir', work_dir, *options)
    assert done.returncode == 0, done.stderr
    assert 'test_a/qian_psnr' in out.read_text()


@pytest.mark.parametrize(
    'text',
    ["import os\nos.system('touch {}')", "a = open('{}', 'w')", "a = __import__('os')",
     "custom_imports = dict(imports=['antigravity'])", "model = dict(type='os.system', a='{}')",
     'a = dict(**b)', 'a = [', 'a = ' + '[' * 9000],
)  # fmt: skip
def test_a_stored_config_runs_no_code(text: str, tmp_path: Path) -> None:
    path, made = tmp_path / 'a.pth', tmp_path / 'made'
    torch.save({'meta': {'cfg': text.replace('{}', str(made))}, 'state_dict': {}}, path)
    with pytest.raises(UserError, match=r'a\.pth.*name the config'):
        read_stored_config(path)
    assert not made.exists()


def test_values_of_a_stored_config_are_plain(tmp_path: Path) -> None:
    path = tmp_path / 'a.pth'
    text = "size = (-1, 2.5)\nmodel = dict(type='UNet', names={'a b': [None, True]})\n"
    torch.save({'meta': {'cfg': text}, 'state_dict': {}}, path)
    config = read_stored_config(path)
    assert config.size == [-1, 2.5]
    assert config.model == {'type': 'UNet', 'names': {'a b': [None, True]}}
    torch.save({'state_dict': {}}, path)
    with pytest.raises(UserError, match='holds no config'):
        read_stored_config(path)
