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
from mmcv.transforms import BaseTransform
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.pairs import PairOptions, render_pair

from attentive_gan.errors import UserError

#: Channels of a pair.
CHANNELS = 7


@TRANSFORMS.register_module()
class PackPair(BaseTransform):
    """Pack a sample as `pairs` (H, W, 7), uint8, and `names`, for batches of one tensor.

    The last step of a training pipeline, in the place of `PackInputs`; the data loader needs
    `collate_fn=dict(type='collate_pairs')` and the model `data_preprocessor=dict(type='PairPreprocessor',
    ...)`. Batches are then `pairs` (N, H, W, 7) and `names`, a list of N texts.

    Args:
        mask: Entry that becomes the last channel, (H, W, 1), uint8: `mask`, or `coverage` where
            `RenderRaindrops` adds it. None for zeros.

    Raises:
        UserError: A sample has no such entry.
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

    def __repr__(self) -> str:
        return f'{type(self).__name__}(mask={self.mask!r})'


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


@TRANSFORMS.register_module()
class RenderPairs(BaseTransform):
    """Render several pairs of one clean image: `pairs` (count, H, W, 7), uint8, and `names`.

    For a `PooledDataLoader`, whose workers draw or decode an image once and render on it several
    times. The last channel is the true coverage by drops. Colours are RGB.

    Args:
        count: Pairs of each image.
        raindrops: Arguments of `rendering.RaindropOptions`, such as dict(level='heavy').
        **options: Other arguments of `rendering.PairOptions`: exposure, dry_share and the like.

    Raises:
        UserError: An option is out of its range.
    """

    def __init__(
        self, count: int = 8, raindrops: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        if count < 1:
            raise UserError(f'RenderPairs.count must be 1 or more; got {count}.')
        self.count = count
        chosen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in options.items()
        }
        self.options = PairOptions(raindrops=RaindropOptions(**dict(raindrops or {})), **chosen)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Render on a sample that has `gt`, as `LoadCleanImage` makes it."""
        clean = results['gt']
        if results.get('gt_channel_order', 'bgr') == 'bgr':
            clean = clean[..., ::-1]
        clean = np.ascontiguousarray(clean)
        seeds = np.random.randint(2**63 - 1, size=self.count, dtype=np.int64)  # noqa: NPY002
        pairs = np.stack([render_pair(clean, int(seed), self.options) for seed in seeds])
        return {'pairs': torch.from_numpy(pairs), 'names': str(results.get('gt_path', '?'))}

    def __repr__(self) -> str:
        return f'{type(self).__name__}(count={self.count}, {self.options})'
