"""The sample grid reaches TensorBoard."""

from __future__ import annotations

import pytest
import torch
from attentive_gan.config import reading as configuration
from attentive_gan.engine.hooks.save_images_hook import unique_names
from attentive_gan.evaluation.panels import to_image
from attentive_gan.image_io.comparison import CAPTION_HEIGHT, GAP
from support.runs import TINY_CONFIG, write_pairs


def test_images_are_clamped_and_rounded():
    tensor = torch.tensor([-0.5, 0.5, 2.0]).view(3, 1, 1)
    assert to_image(tensor).tolist() == [[[0, 128, 255]]]


def test_sample_grid_is_in_tensorboard(tmp_path):
    """Rainy, two attention maps, restored, clean of each of two images."""
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    data = write_pairs(tmp_path / 'pairs', size=(40, 48))
    config = configuration.load_config(str(TINY_CONFIG))
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[name].dataset.data_root = str(data)
    config.train_cfg.max_iters = 2
    config.visualizer.vis_backends = [dict(type='TensorboardVisBackend')]
    config.custom_hooks = [dict(type='SampleGridHook', interval=2, count=2)]
    config.work_dir, config.launcher = str(tmp_path / 'work'), 'none'
    config.experiment_name = 'sample_grid'
    configuration.build_runner(config).train()
    events = EventAccumulator(str(next((tmp_path / 'work').rglob('events.*')).parent))
    events.Reload()
    (image,) = events.Images('samples')
    assert (image.width, image.height) == (5 * 48 + 4 * GAP, 2 * (40 + CAPTION_HEIGHT) + GAP)
    assert {'loss_multi_scale', 'test_a/qian_psnr'} <= set(events.Tags()['scalars'])


def test_photos_of_equal_names_get_files_of_their_own():
    class Photos(list):
        def get_data_info(self, index):
            return {'img_path': self[index]}

    photos = Photos(['/p/a/1.jpg', '/p/b/1.jpg', '/p/b/1.png', '/p/b/2.jpg'])
    assert unique_names(photos) == {
        '/p/a/1.jpg': 'a_1.jpg', '/p/b/1.jpg': 'b_1.jpg', '/p/b/1.png': 'b_1.png',
    }  # fmt: skip
    assert unique_names(Photos(['/p/a/1.jpg', '/p/a/2.jpg'])) == {}
    scenes = unique_names(Photos(['/d/Day/Drop/1/1.png', '/d/Night/Drop/1/1.png']))
    assert sorted(scenes.values()) == ['Day_Drop_1_1', 'Night_Drop_1_1']
