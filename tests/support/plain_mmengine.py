"""A training by MMEngine's own runner: what the faults are injected into for comparison.

It is what a user of MMEngine writes: its Runner, loop, sampler, checkpoint hook and distributed wrapper,
a small network with dropout, and images that are flipped at random by NumPy's global generator, as by
the transforms of mmcv. Nothing of this project is imported but the injected faults.

    python plain_mmengine.py '{"data": "...", "work_dir": "...", "resume": false, ...}'
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from fault_injection import FaultInjection, WorkerHarm
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn


class Pairs(torch.utils.data.Dataset):
    """Pairs of images, 40x48."""

    def __init__(self, root, random):
        self.paths = sorted(Path(root, 'data').iterdir())
        self.random = random
        self.harm = WorkerHarm()

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        path = self.paths[index]
        self.harm(path)
        clean = path.parent.parent / 'gt' / path.name.replace('rain', 'clean')
        rainy, clean = (cv2.imread(str(name)) for name in (path, clean))
        if self.random and np.random.random() < 0.5:  # noqa: NPY002 -- as mmcv's RandomFlip
            rainy, clean = rainy[:, ::-1], clean[:, ::-1]
        tensors = (torch.from_numpy(x.transpose(2, 0, 1) / 255.0).float() for x in (rainy, clean))
        return dict(zip(('rainy', 'clean'), tensors, strict=True))


class Restorer(BaseModel):
    """Two convolutions with dropout."""

    def __init__(self, dropout):
        super().__init__()
        self.body = nn.Conv2d(3, 16, 3, padding=1)
        self.head = nn.Conv2d(16, 3, 3, padding=1)
        self.dropout = dropout

    def forward(self, rainy, clean, mode='tensor'):
        features = F.dropout(F.relu(self.body(rainy)), self.dropout, self.training)
        loss = F.mse_loss(rainy + self.head(features), clean, reduction='none').mean((1, 2, 3))
        return {'loss': loss.mean()} if mode == 'loss' else list(loss)


class MeanError(BaseMetric):
    """The mean error over all images."""

    def process(self, data_batch, data_samples):
        self.results += [float(error) for error in data_samples]

    def compute_metrics(self, results):
        return {'error': sum(results) / len(results)}


def main(wanted):
    if wanted.get('config'):
        Config.fromfile(wanted['config'])
    distributed = 'RANK' in os.environ
    if distributed:  # MMEngine would set a CUDA device
        options = {}
        if wanted.get('dist_timeout'):
            options['timeout'] = timedelta(seconds=wanted['dist_timeout'])
        torch.distributed.init_process_group('gloo', **options)
    random = wanted.get('random', True)
    workers = wanted.get('workers', 0)

    def loader(train):
        return dict(
            dataset=Pairs(wanted['data'], random and train),
            sampler=dict(type='InfiniteSampler' if train else 'DefaultSampler', shuffle=train),
            batch_size=wanted.get('batch_size', 2) if train else 1,
            num_workers=workers if train else 0,
            collate_fn=dict(type='default_collate'),
            **({'timeout': wanted['timeout']} if train and wanted.get('timeout') else {}),
        )

    interval, limit = wanted.get('val_interval', 3), wanted.get('max_iters', 6)
    runner = Runner(
        Restorer(0.1 if random else 0.0),
        wanted['work_dir'],
        train_dataloader=loader(True),
        val_dataloader=loader(False),
        val_evaluator=dict(type=MeanError),
        train_cfg=dict(by_epoch=False, max_iters=limit, val_interval=interval),
        val_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=wanted.get('lr', 5e-4))),
        param_scheduler=dict(type='LinearLR', start_factor=1, end_factor=0.1, end=6, by_epoch=False),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(
                type='CheckpointHook', interval=2, by_epoch=False, save_best='error', rule='less',
                max_keep_ckpts=wanted.get('keep', 10),
            ),
        ),
        custom_hooks=[FaultInjection()],
        launcher='pytorch' if distributed else 'none',
        load_from=wanted.get('load_from'),
        resume=wanted.get('resume', False),
        randomness=dict(seed=0, deterministic=True),
        cfg=dict(
            model_wrapper_cfg=dict(
                type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
            )
        ),
    )  # fmt: skip
    runner.train()


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
