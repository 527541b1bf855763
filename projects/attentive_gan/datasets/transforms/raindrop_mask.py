"""The mask of raindrops, made from both images of a pair."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmagic.registry import TRANSFORMS

from attentive_gan.datasets.masks import MaskRule, check_mask_options, raindrop_mask

from .base import Transform


@TRANSFORMS.register_module()
class RaindropMask(Transform):
    """Add `mask` (H, W, 1), uint8, 0 or 255: where rainy and clean differ (see `raindrop_mask`).

    It belongs before any crop, so that a crop's mask equals the crop of the full mask. The options
    are recorded as `mask_rule` in the sample, such as 'mean > 30, dilation 3'.

    Args:
        threshold: Largest difference that is not marked, 0 to 255.
        rule: How three channels become one: 'mean', 'any' or 'luma'.
        dilation: Width of the dilation kernel, odd; 3 is plus-shaped, 1 dilates nothing.

    Raises:
        UserError: An option is out of its range.
    """

    def __init__(self, threshold: int = 30, rule: MaskRule = 'mean', dilation: int = 3) -> None:
        check_mask_options(threshold, rule, dilation)
        self.threshold = threshold
        self.rule: MaskRule = rule
        self.dilation = dilation

    @property
    def description(self) -> str:
        """The options in words, for records."""
        return f'{self.rule} > {self.threshold}, dilation {self.dilation}'

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the mask to a sample that has `img` and `gt`."""
        pair = [results['img'], results['gt']]
        if results.get('img_channel_order') == 'bgr':
            pair = [image[..., ::-1] for image in pair]
        rainy, clean = (np.ascontiguousarray(image) for image in pair)
        mask = raindrop_mask(rainy, clean, self.threshold, self.rule, self.dilation)
        results['mask'] = mask[..., None]
        results['mask_rule'] = self.description
        return results
