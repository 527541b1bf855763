"""Transforms that load the images of a sample, from memory where they are cached."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from mmagic.registry import TRANSFORMS

from attentive_gan.datasets.image_cache import ImageCache
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image
from attentive_gan.utils.types import ChannelOrder, ImageArray

from .base import Transform

_Loader = TypeVar('_Loader', bound='ImageLoader')


def set_image(
    results: dict[str, Any], key: str, image: ImageArray, channel_order: ChannelOrder
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


class ImageLoader(Transform):
    """Base class: load the images `KEYS` of a sample, (H, W, 3), uint8.

    Beside them it sets the keys that MMagic's `LoadImageFromFile` sets, so that MMagic's transforms,
    preprocessor and visualizers know size and colour order: `ori_img_shape`, `img_channel_order`,
    `img_color_type`, and the same for `gt`.

    Args:
        channel_order: Colour order of the arrays, 'rgb' or 'bgr'.
        use_cache: Whether to keep decoded images in memory that worker processes share (see `ImageCache`);
            it needs a data set of this package.
        cache_limit_gib: Largest memory for them in GiB.

    Raises:
        UserError: An image cannot be read, or `channel_order` is neither.
    """

    KEYS: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        channel_order: ChannelOrder = 'rgb',
        use_cache: bool = False,
        cache_limit_gib: float = 8.0,
    ) -> None:
        if channel_order not in ('rgb', 'bgr'):
            raise UserError(f"channel_order must be 'rgb' or 'bgr'; got {channel_order!r}.")
        self.channel_order = channel_order
        self.use_cache = use_cache
        self.cache_limit_gib = cache_limit_gib
        self.cache: ImageCache | None = None

    def with_memory(self: _Loader, sizes: Sequence[tuple[int, int]], limit_gib: float) -> _Loader:
        """Return a copy with memory for a data set; so one transform may serve several data sets.

        Args:
            sizes: (height, width) of each sample's images, in the order of the data set.
            limit_gib: Largest size of the memory in GiB.

        Raises:
            UserError: The images need more.
        """
        loader = copy.copy(self)
        loader.cache = ImageCache(sizes, int(limit_gib * 2**30), len(self.KEYS))
        return loader

    @abstractmethod
    def decode(self, results: Mapping[str, Any]) -> tuple[ImageArray, ...]:
        """Return an image for each of `KEYS`, RGB (H, W, 3), uint8."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the images to a sample."""
        if self.cache is None:
            images = self.decode(results)
        else:
            images = self.cache.get(results['sample_idx'], lambda: self.decode(results))
        for key, image in zip(self.KEYS, images, strict=True):
            set_image(results, key, image, self.channel_order)
        return results


@TRANSFORMS.register_module()
class LoadRainyCleanPair(ImageLoader):
    """Load the rainy image as `img` and the clean one as `gt` (arguments and keys: `ImageLoader`).

    The sample has `img_path` and `gt_path`; where both are halves of one image, `rainy_side` (see
    `PairDataset`).
    """

    KEYS = ('img', 'gt')

    def decode(self, results: Mapping[str, Any]) -> tuple[ImageArray, ...]:
        """Return the rainy and the clean image, RGB (H, W, 3), uint8."""
        return read_pair(results)


@TRANSFORMS.register_module()
class LoadCleanImage(ImageLoader):
    """Load a clean image as `gt` (arguments and keys: `ImageLoader`).

    The sample has `gt_path`, or `scenes` (a `DrawnScene`) and the `number` of one. `frame_width`, the width
    of the whole image in pixels, is recorded for `RenderRaindrops`.
    """

    KEYS = ('gt',)

    def decode(self, results: Mapping[str, Any]) -> tuple[ImageArray, ...]:
        """Return the clean image, RGB (H, W, 3), uint8."""
        if 'scenes' in results:
            return (results['scenes'].draw(results['number']),)
        return (read_image(results['gt_path']),)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the image to a sample."""
        results = super().transform(results)
        results['frame_width'] = results['gt'].shape[1]
        return results
