"""Changes of the shape of all images of a sample: flip, scale, resize."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numpy as np
from mmagic.registry import TRANSFORMS
from numpy.typing import NDArray

from attentive_gan.errors import UserError
from attentive_gan.image_io.resizing import resize
from attentive_gan.utils.checks import check_range

from .aug_pixel import Range, checked_limits, random_uniform
from .base import Transform
from .crop import PAIR_KEYS


@TRANSFORMS.register_module()
class PairedFlip(Transform):
    """Mirror all images of a sample together, or leave all as they are.

    Args:
        probability: Share of the samples that are mirrored, 0 to 1.
        direction: 'horizontal' changes left and right, 'vertical' top and bottom.
        keys: Which entries to mirror; those that a sample does not have are left out.

    Raises:
        UserError: An option is out of its range.

    Example:
        >>> PairedFlip(1.0)({'img': np.array([[1, 2, 3]])})
        {'img': array([[3, 2, 1]]), 'flipped': True}
    """

    def __init__(
        self,
        probability: float = 0.5,
        direction: Literal['horizontal', 'vertical'] = 'horizontal',
        keys: Sequence[str] = PAIR_KEYS,
    ) -> None:
        check_range('probability', probability, 0, 1)
        if direction not in ('horizontal', 'vertical'):
            raise UserError(f"direction must be 'horizontal' or 'vertical'; got {direction!r}.")
        self.probability = probability
        self.direction = direction
        self.keys = tuple(keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Mirror a sample, or not, as `flipped` records."""
        flipped = bool(np.random.random() < self.probability)  # noqa: NPY002 -- seeded per sample
        if flipped:
            axis = 1 if self.direction == 'horizontal' else 0
            for key in self.keys:
                if key in results:
                    results[key] = np.flip(results[key], axis)
        results['flipped'] = flipped
        return results


@TRANSFORMS.register_module()
class PairedScale(Transform):
    """Resize all images of a sample by one random factor; it belongs before the crop.

    The mask is taken from the nearest pixel. `scale` records the factor.

    Args:
        limits: Range of the factor, within 0.1 to 10; its logarithm is drawn evenly.
        keys: Which entries to resize; those that a sample does not have are left out.

    Raises:
        UserError: The range is not one, or not within its bounds.
    """

    def __init__(self, limits: Range = (0.7, 1.4), keys: Sequence[str] = PAIR_KEYS) -> None:
        self.limits = checked_limits('limits', limits, 0.1, 10)
        self.keys = tuple(keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize a sample."""
        factor = float(np.exp(random_uniform((np.log(self.limits[0]), np.log(self.limits[1])))))
        for key in self.keys:
            if key in results:
                old = results[key].shape[:2]
                size = (max(1, round(old[0] * factor)), max(1, round(old[1] * factor)))
                results[key] = _scaled(results[key], size, nearest=key == 'mask')
        if 'frame_width' in results:
            results['frame_width'] = round(results['frame_width'] * factor)
        results['scale'] = factor
        return results


def _scaled(image: NDArray[Any], size: tuple[int, int], nearest: bool) -> NDArray[Any]:
    if not nearest:
        return resize(image, size)
    result = cv2.resize(image, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return result.reshape(*size, *image.shape[2:])


@TRANSFORMS.register_module()
class ResizeToCover(Transform):
    """Resize the clean image `gt` so that it just covers a size, keeping its proportions.

    Without it a photo smaller than the crop is an error. Enlarging uses cubic interpolation, shrinking
    area averaging. It belongs before `RenderRaindrops`, so that drops have the size of those in an
    image of this size, and rendering takes no longer than for such an image.

    Args:
        size: (height, width) in pixels that the image covers afterwards.
        shrink: Whether larger images are shrunk; otherwise only smaller ones are enlarged.

    Raises:
        UserError: The size is below 1.

    Example:
        >>> ResizeToCover((48, 72))({'gt': np.zeros((100, 200, 3), np.uint8)})['gt'].shape
        (48, 96, 3)
    """

    def __init__(self, size: tuple[int, int], shrink: bool = True) -> None:
        if len(size) != 2 or min(size) < 1:
            raise UserError(f'size must be (height, width) of 1 or more; got {size}.')
        self.size = (int(size[0]), int(size[1]))
        self.shrink = shrink

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize `gt`."""
        height, width = results['gt'].shape[:2]
        factor = max(self.size[0] / height, self.size[1] / width)
        if factor > 1 or (self.shrink and factor < 1):
            new = (
                max(self.size[0], round(height * factor)),
                max(self.size[1], round(width * factor)),
            )
            results['gt'] = resize(results['gt'], new)
            results['frame_width'] = new[1]
        return results
