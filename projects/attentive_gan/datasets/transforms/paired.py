"""Steps of a training or test pipeline: load a pair, make its mask, crop, flip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from mmagic.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from attentive_gan.datasets.masks import MaskRule, check_mask_options, raindrop_mask
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.errors import UserError

ChannelOrder = Literal['rgb', 'bgr']

#: What is cropped, flipped and scaled together.
PAIR_KEYS = ('img', 'gt', 'mask', 'alpha', 'coverage')


def checked_order(channel_order: ChannelOrder) -> ChannelOrder:
    """Return a colour order that is one.

    Raises:
        UserError: It is not.
    """
    if channel_order not in ('rgb', 'bgr'):
        raise UserError(f"channel_order must be 'rgb' or 'bgr'; got {channel_order!r}.")
    return channel_order


def set_image(
    results: dict[str, Any], key: str, image: NDArray[np.uint8], channel_order: ChannelOrder
) -> None:
    """Put an image into a sample with the keys that MMagic's `LoadImageFromFile` sets.

    Args:
        results: The sample.
        key: Name of the image, such as 'img' or 'gt'.
        image: RGB (H, W, 3), uint8.
        channel_order: Order in which the sample holds it.
    """
    results[key] = np.ascontiguousarray(image[..., ::-1] if channel_order == 'bgr' else image)
    results[f'ori_{key}_shape'] = image.shape
    results[f'{key}_channel_order'] = channel_order
    results[f'{key}_color_type'] = 'color'


@TRANSFORMS.register_module()
class LoadRainyCleanPair(BaseTransform):
    """Load the rainy image as `img` and the clean one as `gt`, (H, W, 3), uint8.

    Beside them it sets the keys that MMagic's `LoadImageFromFile` sets, so that MMagic's
    transforms, preprocessor and visualizers know size and colour order: `ori_img_shape`,
    `img_channel_order`, `img_color_type`, and the same for `gt`.

    Args:
        channel_order: Colour order of both arrays, 'rgb' or 'bgr'.

    Raises:
        UserError: An image cannot be read, or `channel_order` is neither.
    """

    def __init__(self, channel_order: ChannelOrder = 'rgb') -> None:
        self.channel_order = checked_order(channel_order)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the images to a sample that has `img_path` and `gt_path` (see `PairDataset`)."""
        read = results.pop('read_images', None)
        pair = read() if read else read_pair(results)
        for key, image in zip(('img', 'gt'), pair, strict=True):
            set_image(results, key, image, self.channel_order)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(channel_order={self.channel_order!r})'


@TRANSFORMS.register_module()
class RaindropMask(BaseTransform):
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

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.description})'


def checked_size(crop_size: int | Sequence[int]) -> tuple[int, int]:
    """Return the (height, width) of a crop that is given as such, or as one number for both.

    Raises:
        UserError: It is neither, or below 1.
    """
    size = (crop_size, crop_size) if isinstance(crop_size, int) else tuple(crop_size)
    if len(size) != 2 or min(size) < 1:
        raise UserError(f'crop_size must be (height, width) of 1 or more; got {crop_size}.')
    return int(size[0]), int(size[1])


def drawn_window(
    size: tuple[int, int], crop_size: tuple[int, int], path: str | None, random: bool = True
) -> tuple[int, int, int, int]:
    """Return a window (top, left, height, width) within an image.

    Args:
        size: (height, width) of the image in pixels.
        crop_size: (height, width) of the window in pixels.
        path: Name of the image for messages.
        random: Whether the place is drawn from NumPy's global generator; otherwise it is the centre.

    Raises:
        UserError: The image is smaller than the window; the message names the file.
    """
    (height, width), (rows, columns) = size, crop_size
    if height < rows or width < columns:
        raise UserError(
            f'{path or "an image"} is {width}x{height}, smaller than the crop of {columns}x{rows}. '
            f'Use a smaller crop_size or larger images.'
        )
    top, left = (height - rows) // 2, (width - columns) // 2
    if random:
        top = np.random.randint(height - rows + 1)  # noqa: NPY002 -- seeded per draw, see draws.py
        left = np.random.randint(width - columns + 1)  # noqa: NPY002
    return top, left, rows, columns


@TRANSFORMS.register_module()
class PairedCrop(BaseTransform):
    """Cut the same window out of all images of a sample.

    MMagic's `Crop` draws a window of its own for every key, and cuts less than asked where the
    image is smaller; this one does neither. The window is recorded as `crop_box` (top, left,
    height, width).

    Args:
        crop_size: (height, width) of the window, or one number for both, in pixels.
        keys: Which entries to cut; those that a sample does not have are left out.
        random: Whether the place is drawn from NumPy's global generator; otherwise it is the
            centre.

    Raises:
        UserError: An image is smaller than the window; the message names the file.
    """

    def __init__(
        self,
        crop_size: int | Sequence[int],
        keys: Sequence[str] = PAIR_KEYS,
        random: bool = True,
    ) -> None:
        self.crop_size = checked_size(crop_size)
        self.keys = tuple(keys)
        self.random = random

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cut all images of a sample."""
        keys = [key for key in self.keys if key in results]
        size = results[keys[0]].shape[:2]
        box = drawn_window(size, self.crop_size, results.get('img_path'), self.random)
        top, left, rows, columns = box
        for key in keys:
            results[key] = results[key][top : top + rows, left : left + columns]
        results['crop_box'] = box
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(crop_size={self.crop_size}, random={self.random})'


@TRANSFORMS.register_module()
class PairedFlip(BaseTransform):
    """Mirror all images of a sample together, or leave all as they are.

    Args:
        probability: Share of the samples that are mirrored, 0 to 1.
        direction: 'horizontal' changes left and right, 'vertical' top and bottom.
        keys: Which entries to mirror; those that a sample does not have are left out.

    Raises:
        UserError: An option is out of its range.
    """

    def __init__(
        self,
        probability: float = 0.5,
        direction: Literal['horizontal', 'vertical'] = 'horizontal',
        keys: Sequence[str] = PAIR_KEYS,
    ) -> None:
        if not 0 <= probability <= 1:
            raise UserError(f'probability must be within 0 to 1; got {probability}.')
        if direction not in ('horizontal', 'vertical'):
            raise UserError(f"direction must be 'horizontal' or 'vertical'; got {direction!r}.")
        self.probability = probability
        self.direction = direction
        self.keys = tuple(keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Mirror a sample, or not; `flipped` says which."""
        flipped = bool(np.random.random() < self.probability)  # noqa: NPY002 -- seeded per draw
        if flipped:
            axis = 1 if self.direction == 'horizontal' else 0
            for key in self.keys:
                if key in results:
                    results[key] = np.flip(results[key], axis)
        results['flipped'] = flipped
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.direction!r}, probability={self.probability})'
