"""The data loader with a pool: stages, workers, errors, and its end."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from attentive_gan.datasets import pooled_dataloader
from attentive_gan.datasets.image_pool import CropOptions
from attentive_gan.datasets.pooled_dataloader import PooledDataLoader
from attentive_gan.errors import UserError
from mmengine.logging import MessageHub
from support.runs import environment
from torch.utils.data import Dataset


class Images(Dataset):
    """Images whose level is their index; index 7 may be a bad one."""

    def __init__(self, length=20, bad=None, together=3):
        self.length, self.bad, self.together = length, bad, together

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if index == self.bad:
            raise UserError('bad.png cannot be read')
        shape = (self.together, 16, 24, 7) if self.together else (16, 24, 7)
        return {'pairs': torch.full(shape, int(index) % 256, dtype=torch.uint8), 'names': 'x'}


def loader(dataset=None, **options):
    options = dict(batch_size=4, crop_size=8, pool_size=30, start_size=6, num_workers=0) | options
    sampler = dict(type='SeededSampler', shuffle=False)
    return PooledDataLoader(dataset or Images(), sampler, **options)


@pytest.fixture(autouse=True)
def progress():
    MessageHub.get_current_instance().update_info('progress', 0.0)
    yield lambda p: MessageHub.get_current_instance().update_info('progress', p)
    left = [thread for thread in threading.enumerate() if thread.name == 'image-pool']
    assert not left, 'a thread was left'


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize('together', [0, 3])
def test_batches_are_crops_of_the_images(workers, together):
    made = loader(Images(together=together), num_workers=workers)
    batches = iter(made)
    for _ in range(3):
        pairs = next(batches)['pairs']
        assert pairs.shape == (4, 8, 8, 7)
        assert pairs.dtype == torch.uint8
    assert made.pool.count >= 6
    made.close()
    assert made.pool is None


def test_stages_follow_the_progress(progress):
    made = loader(stages=[dict(begin=0.5, batch_size=2, crop_size=16)])
    batches = iter(made)
    assert next(batches)['pairs'].shape == (4, 8, 8, 7)
    progress(0.49)
    assert next(batches)['pairs'].shape == (4, 8, 8, 7)
    progress(0.5)
    assert next(batches)['pairs'].shape == (2, 16, 16, 7)
    made.close()


def test_new_images_wait_for_batches_where_they_are_bounded():
    made = loader(Images(5000, together=1), start_size=4, images_per_batch=2.0)
    batches = iter(made)
    for count in range(1, 6):
        next(batches)
        end = time.monotonic() + 0.3  # time enough for hundreds of images
        while time.monotonic() < end:
            assert made.pool.received <= 4 + 2 * count + 1
            time.sleep(0.02)
    end = time.monotonic() + 60
    while made.pool.received < 4 + 2 * 5:  # and come as soon as they may
        assert time.monotonic() < end
        time.sleep(0.02)
    made.close()


def test_crops_larger_than_the_images_are_refused_at_the_start():
    made = loader(stages=[dict(begin=0.5, batch_size=2, crop_size=17)])
    with pytest.raises(UserError, match=r'crops of 17x17 .* 24x16; lower train_dataloader'):
        next(iter(made))
    made.close()


@pytest.mark.parametrize('workers', [0, 1])
def test_an_unusable_image_ends_the_training_with_its_message(workers):
    made = loader(Images(bad=1, together=1), num_workers=workers)
    with pytest.raises(UserError, match=r'bad.png cannot be read'):
        next(iter(made))
    made.close()


def test_a_later_start_uses_other_images():
    made = loader(Images(5000, together=1), start_size=1, pool_size=5000)
    made.sampler.start_at(100, 4)
    next(iter(made))
    assert int(made.pool.pairs[0, 0, 0, 0]) == 400 % 256
    made.close()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(start_size=31), 'start_size within it'),
        (dict(pool_size=0), 'pool_size must be'),
        (dict(stages=[dict(begin=0.0, batch_size=1, crop_size=1)]), 'one after another'),
        (dict(stages=[dict(begin=0.5, crop_size=8)]), 'each has begin, batch_size and crop_size'),
        (dict(stages=[dict(begin=0.5, batch_size=0, crop_size=8)]), 'must be 1 or more'),
        (dict(augmentation=dict(flip=2)), 'flip must be'),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        loader(**options)


def test_processes_draw_their_crops_from_places_of_their_own(monkeypatch):
    def corners(rank, processes):
        monkeypatch.setattr(pooled_dataloader, 'get_dist_info', lambda: (rank, processes))
        made = loader(seed=3)
        next(iter(made))
        pool = made.pool
        made.close()
        pool.pairs[:] = torch.arange(24, dtype=torch.uint8)[:, None]
        return pool.random_crops(64, 8, CropOptions(scale=(1, 1), flip=0, colour=0))[:, 0, 0, 0]

    first, second = corners(0, 2), corners(1, 2)
    assert not torch.equal(first, second)
    assert torch.equal(first, corners(0, 2))


def test_a_with_block_and_the_garbage_collector_end_the_thread():
    with loader() as made:
        next(iter(made))
    assert made.pool is None
    dropped = loader(num_workers=1)
    batches = iter(dropped)
    next(batches)
    del dropped, batches
    gc.collect()  # the fixture finds a thread that is left


def test_workers_start_after_opencv_has_used_its_threads():
    threads = cv2.getNumThreads()
    cv2.setNumThreads(4)
    try:
        cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.float32), (0, 0), 5)
        with loader(num_workers=1) as made:
            next(iter(made))
            assert cv2.getNumThreads() == 4
    finally:
        cv2.setNumThreads(threads)


LEFT_OPEN = """
import sys
import torch
sys.path[:0] = {path!r}
from test_pooled_dataloader import Images, loader

made = loader(Images(100_000, together=1), num_workers={workers}, pool_size=200)
batches = iter(made)
next(batches)
print('left open')
"""


@pytest.mark.parametrize('workers', [0, 1])
def test_a_loader_that_is_left_open_lets_python_exit(workers):
    path = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    code = LEFT_OPEN.format(path=path, workers=workers)
    done = subprocess.run(
        [sys.executable, '-c', code], env=environment(), capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'left open\n'
    assert 'terminate called' not in done.stderr
