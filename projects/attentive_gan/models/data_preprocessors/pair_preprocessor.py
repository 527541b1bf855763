"""Moves batches of pairs to the device and converts them to float."""

from __future__ import annotations

from typing import Any

import torch
from mmagic.registry import MODELS
from torch import Tensor

from attentive_gan.compat.mmagic import DataPreprocessor, DataSample


@MODELS.register_module()
class PairPreprocessor(DataPreprocessor):
    """MMagic's `DataPreprocessor`, which also accepts batches of one uint8 tensor.

    A batch with `pairs` (N, H, W, 7) of `PackPair` or `PooledDataLoader` (rainy, clean, mask) is copied to
    the device at once and becomes `inputs` (N, 3, H, W), normalised, and `data_samples` with `gt_img`
    (N, 3, H, W), normalised, and `mask` (N, 1, H, W), uint8, in the channels-last format. Other batches
    are handled by MMagic.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Move a batch to the device and normalise it.

        Args:
            data: A batch of the data loader.
            training: Whether it is for training.
        """
        if 'pairs' not in data:
            return dict(super().forward(data, training))
        pairs = data['pairs'].to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        samples = DataSample()
        samples.set_data({'gt_img': self._normalised(pairs[:, 3:6]), 'mask': pairs[:, 6:]})
        return {'inputs': self._normalised(pairs[:, :3]), 'data_samples': samples}

    def _normalised(self, image: Tensor) -> Tensor:
        floats = image.to(torch.float32, memory_format=torch.channels_last)
        return (floats - self.mean) / self.std if self._enable_normalize else floats
