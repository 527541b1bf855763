"""Takes batches of pairs to the device and to floats there."""

from __future__ import annotations

from typing import Any

import torch
from mmagic.registry import MODELS
from torch import Tensor

from attentive_gan.compat.mmagic import DataPreprocessor, DataSample


@MODELS.register_module()
class PairPreprocessor(DataPreprocessor):
    """MMagic's `DataPreprocessor`, which also takes batches that are one uint8 tensor.

    A batch with `pairs` (N, H, W, 7), as `PackPair` and `PooledDataLoader` make them, is copied to the
    device in one piece and becomes `inputs` (N, 3, H, W), normalised, and `data_samples` with `gt_img`
    (N, 3, H, W), normalised too, and `mask` (N, 1, H, W), uint8; all in the channels-last layout. Other
    batches go the way of MMagic.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare a batch.

        Args:
            data: A batch of the data loader.
            training: Whether it is for training.
        """
        if 'pairs' not in data:
            return super().forward(data, training)
        pairs = data['pairs'].to(self.device, non_blocking=True).permute(0, 3, 1, 2)
        samples = DataSample()
        samples.set_data({'gt_img': self._normalised(pairs[:, 3:6]), 'mask': pairs[:, 6:]})
        return {'inputs': self._normalised(pairs[:, :3]), 'data_samples': samples}

    def _normalised(self, image: Tensor) -> Tensor:
        floats = image.to(torch.float32, memory_format=torch.channels_last)
        return (floats - self.mean) / self.std if self._enable_normalize else floats
