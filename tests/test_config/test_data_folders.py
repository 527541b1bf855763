"""Missing data are named first, before a model is built or weights are looked for."""

from __future__ import annotations

import attentive_gan
import pytest
from attentive_gan.config.data_folders import require_data
from attentive_gan.errors import UserError
from attentive_gan.models.losses import perceptual_loss
from mmengine.config import Config


def test_a_training_names_missing_data_before_missing_weights(repository, tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(perceptual_loss, 'VGG16_URL', 'http://127.0.0.1:9/vgg16.pth')
    config = repository / 'configs' / 'attgan_raindrop.py'
    options = {'data_root': str(tmp_path / 'absent')}
    with pytest.raises(UserError, match=r'absent/train does not exist.*data/N_rain\.png') as caught:
        attentive_gan.train(config, options, work_dir=tmp_path / 'work')
    assert 'VGG16' not in str(caught.value)
    assert not (tmp_path / 'work').exists()


def test_parts_of_several_data_sets_are_named(tmp_path):
    (tmp_path / 'here').mkdir()
    parts = [
        dict(type='PairFolderDataset', data_root=str(tmp_path / name)) for name in ('here', 'gone')
    ]
    joined = dict(type='ConcatDataset', datasets=parts)
    with pytest.raises(UserError, match='gone does not exist'):
        require_data(Config(dict(train_dataloader=dict(dataset=joined))))
    require_data(Config(dict(train_dataloader=dict(dataset=parts[0]), val_dataloader=None)))
