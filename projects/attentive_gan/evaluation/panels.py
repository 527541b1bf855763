"""Images of a tested sample for visualization."""

from __future__ import annotations

import numpy as np
import torch

from attentive_gan.compat.mmagic import DataSample
from attentive_gan.image_io.comparison import attention_image
from attentive_gan.utils.types import ImageArray


def to_image(tensor: torch.Tensor) -> ImageArray:
    """Convert a tensor (3, H, W) or (1, H, W), clamped to [0, 1], to an image (H, W, 3) uint8.

    Examples:
        >>> to_image(torch.tensor([0.0, 0.5, 2.0]).reshape(3, 1, 1)).tolist()
        [[[0, 128, 255]]]
    """
    array = tensor.detach().float().clamp(0, 1).mul(255).round().byte().cpu().numpy()
    image: ImageArray = np.repeat(array, 3 // array.shape[0], axis=0).transpose(1, 2, 0)
    return image


def comparison_panels(sample: DataSample) -> list[tuple[str, ImageArray]]:
    """Return the images of a tested sample with captions.

    Args:
        sample: A data sample after `test_step`: `input`, `output.pred_img`, `gt_img` (3, H, W) in
            [0, 255] and BGR, and `output.attention` (steps, H, W) in [0, 255] if there is any.

    Returns:
        (caption, image (H, W, 3) uint8 in RGB) for rainy, attention maps, restored and clean.
    """
    panels = [('rainy', to_image(sample.input.flip(0) / 255))]
    for step, attention in enumerate(sample.output.get('attention', ()), 1):
        colours = attention_image(attention.float().cpu().numpy() / 255)
        panels.append((f'attention {step}', colours))
    panels.append(('restored', to_image(sample.output.pred_img.flip(0) / 255)))
    if 'gt_img' in sample:
        panels.append(('clean', to_image(sample.gt_img.flip(0) / 255)))
    return panels
