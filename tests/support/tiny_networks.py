"""Small networks with the interfaces of the real ones, so that whole trainings take seconds."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from attentive_gan.models.networks.attentive_generator import AttentiveOutput
from attentive_gan.models.networks.discriminators import DiscriminatorOutput
from fault_injection import WorkerHarm  # and its hook, which configs name
from mmagic.registry import MODELS, TRANSFORMS
from mmcv.transforms import BaseTransform
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
    """Ends or stops a worker when the environment asks for it (`fault_injection`)."""

    def __init__(self):
        self.harm = WorkerHarm()

    def transform(self, results):
        self.harm(results['img_path'])
        return results
