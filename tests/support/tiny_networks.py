"""Small networks with the interfaces of the real ones, so that whole trainings take seconds."""

from __future__ import annotations

import os
import signal
import time

import torch
import torch.nn.functional as F
from attentive_gan.models.networks.attentive_generator import AttentiveOutput
from attentive_gan.models.networks.discriminators import DiscriminatorOutput
from mmagic.registry import HOOKS, MODELS, TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook
from torch import nn


@MODELS.register_module()
class TinyGenerator(nn.Module):
    """Two steps of one convolution; with dropout, so that resuming must restore random states."""

    size_multiple = 4

    def __init__(self, dropout: float = 0.1):
        super().__init__()
        self.attention = nn.Conv2d(4, 1, 3, padding=1)
        self.body = nn.Conv2d(4, 8, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, rainy, side_outputs=False):
        attention = rainy.new_full((rainy.shape[0], 1, *rainy.shape[2:]), 0.5)
        maps = []
        for _ in range(2):
            attention = self.attention(torch.cat([rainy, attention], 1))
            maps.append(attention)
        features = self.dropout(F.relu(self.body(torch.cat([rainy, attention], 1))))
        restored = rainy + self.head(features)
        if not side_outputs:
            return restored
        half = F.avg_pool2d(restored, 2)
        return AttentiveOutput(
            restored=restored, attention_maps=tuple(maps), half=half, quarter=F.avg_pool2d(half, 2)
        )


@MODELS.register_module()
class TinyDiscriminator(nn.Module):
    """One gated convolution and a mean."""

    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3, padding=1)
        self.mask = nn.Conv2d(4, 1, 3, padding=1)
        self.head = nn.Linear(4, 1)

    def forward(self, image):
        features = F.relu(self.body(image))
        attention = self.mask(features)
        logits = self.head((features * attention).mean((2, 3)))
        return DiscriminatorOutput(logits=logits, attention_map=attention)


@TRANSFORMS.register_module()
class WorkerFault(BaseTransform):
    """Ends or stops the worker that loads pair 3 when the environment has WORKER_FAULT=kill or =hang.

    The first samples pass: they are loaded ahead while the training is still being set up.
    """

    passed = 0

    def transform(self, results):
        fault = os.environ.get('WORKER_FAULT')
        self.passed += 1
        if fault and self.passed > 6 and results['img_path'].endswith('3_rain.png'):
            if fault == 'kill':
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(1000)
        return results


@HOOKS.register_module()
class FaultInjection(Hook):
    """Does harm when the environment asks for it, in iteration N from 1.

    KILL_AT=N, POISON_AT=N, KILL_IN_SAVE=N (the checkpoint is written, but not yet renamed), KILL_IN_VAL=N
    (the images are restored and scored), SIGNALS_AT=N:S[,S] (the numbers of signals, two seconds apart;
    of several processes the last one gets them).
    """

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if os.environ.get('POISON_AT') == str(batch_idx + 1):
            with torch.no_grad():
                next(runner.model.parameters()).fill_(float('nan'))

    def before_save_checkpoint(self, runner, checkpoint):
        if os.environ.get('KILL_IN_SAVE') == str(checkpoint['meta']['iter']):
            os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)

    def after_val_epoch(self, runner, metrics=None):
        if os.environ.get('KILL_IN_VAL') == str(runner.iter):
            os.kill(os.getpid(), signal.SIGKILL)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if os.environ.get('KILL_AT') == str(batch_idx + 1):
            os.kill(os.getpid(), signal.SIGKILL)
        iteration, _, numbers = os.environ.get('SIGNALS_AT', '').partition(':')
        if iteration == str(batch_idx + 1) and runner.rank == runner.world_size - 1:
            for index, number in enumerate(numbers.split(',')):
                time.sleep(2 * bool(index))
                os.kill(os.getpid(), int(number))
