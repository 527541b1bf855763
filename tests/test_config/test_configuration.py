"""Mistakes in configs and options are found before anything is built."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.config import reading as configuration
from attentive_gan.errors import UserError


@pytest.fixture
def main_config(repository):
    return str(repository / 'configs' / 'attgan_raindrop.py')


def test_options_reach_nested_fields_and_list_items(main_config):
    options = {
        'train_cfg.max_iters': 7,
        'train_dataloader.dataset.pipeline.2.crop_size': (32, 32),
        'model.perceptual_loss': None,
        'model.ema.momentum': 0.1,
        'load_from': 'x.pth',
    }
    config = configuration.load_config(main_config, options)
    assert config.train_cfg.max_iters == 7
    assert config.train_dataloader.dataset.pipeline[2].crop_size == (32, 32)
    assert config.model.perceptual_loss is None
    assert config.model.ema == {'momentum': 0.1}


@pytest.mark.parametrize(
    ('name', 'hint'),
    [('train_cgf.max_iters', 'train_cfg'), ('train_dataloader.datset.data_root', 'dataset')],
)
def test_misspelt_options_are_named(main_config, name, hint):
    with pytest.raises(UserError, match=f'did you mean .{hint}'):
        configuration.load_config(main_config, {name: 1})


def test_missing_and_broken_configs(tmp_path):
    with pytest.raises(UserError, match='config not found: nowhere'):
        configuration.load_config('nowhere.py')
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(')
    with pytest.raises(UserError, match='cannot be read'):
        configuration.load_config(str(broken))


def test_mixed_precision_needs_a_gpu(main_config, monkeypatch):
    config = configuration.load_config(main_config)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match='--amp float16: it needs a CUDA device'):
        configuration.use_mixed_precision(config)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    configuration.use_mixed_precision(config)
    assert config.optim_wrapper.generator.type == 'AmpOptimWrapper'
    assert config.optim_wrapper.discriminator.dtype == 'float16'


def test_work_dir_is_chosen_in_order(main_config):
    config = configuration.load_config(main_config)
    configuration.set_work_dir(config, None, main_config)
    assert config.work_dir == 'work_dirs/attgan_raindrop'
    configuration.set_work_dir(config, 'x', main_config)
    assert config.work_dir == 'x'


def test_scaling_the_rate_needs_a_base(main_config):
    config = configuration.load_config(main_config)
    configuration.scale_learning_rate(config)
    assert config.auto_scale_lr.enable
    config.pop('auto_scale_lr')
    with pytest.raises(UserError, match='base_batch_size'):
        configuration.scale_learning_rate(config)
