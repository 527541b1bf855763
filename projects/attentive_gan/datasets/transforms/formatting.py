"""Training pairs as one uint8 array each: what goes to the training device is one tensor a batch.

A pair is (H, W, 7): the three channels of the rainy image, those of the clean one, and the mask or
coverage of the drops, 0 to 255. Beside samples with a `DataSample` each, such batches need no handling
image by image, are pinned by the data loader as they are, and are a quarter of the bytes of floats.
`PairPreprocessor` turns them into what an editor takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmagic.registry import TRANSFORMS
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS

from attentive_gan.errors import UserError

from .base import Transform

#: Channels of a pair.
CHANNELS = 7


@TRANSFORMS.register_module()
class PackPair(Transform):
    """Pack a sample as `pairs` (H, W, 7), uint8, and `names`, for batches of one tensor.

    The last step of a training pipeline, in the place of `PackInputs`; the data loader needs
    `collate_fn=dict(type='collate_pairs')` and the model `data_preprocessor=dict(type='PairPreprocessor',
    ...)`. Batches are then `pairs` (N, H, W, 7) and `names`, a list of N texts.

    Args:
        mask: Entry that becomes the last channel, (H, W, 1), uint8: `mask`, or `coverage` where
            `RenderRaindrops` adds it. None for zeros.

    Raises:
        UserError: A sample has no such entry.

    Example:
        >>> image = np.zeros((8, 8, 3), np.uint8)
        >>> PackPair(mask=None)({'img': image, 'gt': image, 'img_path': 'a.png'})['pairs'].shape
        torch.Size([8, 8, 7])
    """

    def __init__(self, mask: str | None = 'mask') -> None:
        self.mask = mask

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack a sample that has `img`, `gt` and the mask."""
        name = str(results.get('img_path', '?'))
        if self.mask is not None and self.mask not in results:
            raise UserError(
                f'{name} has no {self.mask!r}; put dict(type="RaindropMask") behind the loading step, '
                'or set PackPair(mask=None)'
            )
        pair = np.zeros((*results['img'].shape[:2], CHANNELS), np.uint8)
        pair[..., :3], pair[..., 3:6] = results['img'], results['gt']
        if self.mask is not None:
            pair[..., 6:] = results[self.mask]
        return {'pairs': torch.from_numpy(pair), 'names': name}


@FUNCTIONS.register_module()
def collate_pairs(samples: Sequence[Mapping[str, Any]]) -> Any:
    """Make a batch: one tensor of samples of `PackPair`, MMEngine's lists of those of `PackInputs`.

    Args:
        samples: Samples of one kind; those of `PackPair` are of one size.
    """
    if 'pairs' not in samples[0]:
        return pseudo_collate(samples)
    names = [str(sample['names']) for sample in samples]
    return {'pairs': torch.stack([sample['pairs'] for sample in samples]), 'names': names}
