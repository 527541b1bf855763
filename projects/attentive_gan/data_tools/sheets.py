"""Contact sheets of a data set: its pairs, or samples after the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from attentive_gan.datasets.masks import raindrop_mask
from attentive_gan.datasets.pair_dataset import PairDataset
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.datasets.pairing import Pair
from attentive_gan.datasets.samplers import SeededIndex
from attentive_gan.errors import UserError
from attentive_gan.image_io import contact_sheet
from attentive_gan.utils.types import ImageArray

Item = TypeVar('Item')


def evenly_spaced(items: Sequence[Item], count: int) -> list[Item]:
    """Return at most `count` items spread evenly over a sequence, in order.

    Example:
        >>> evenly_spaced('abcdefghi', 3)
        ['a', 'e', 'i']
    """
    places = np.linspace(0, len(items) - 1, min(count, len(items)))
    return [items[place] for place in np.unique(places.astype(int))]


def pair_sheet(pairs: Sequence[Pair], count: int) -> ImageArray:
    """Show rainy image, clean image and mask of pairs spread evenly over a data set.

    Args:
        pairs: Pairs that can be decoded.
        count: Number of rows at most.

    Returns:
        The sheet, RGB (H, W, 3), uint8.
    """
    rows = []
    for pair in evenly_spaced(pairs, count):
        rainy, clean = read_pair(pair.entry())
        mask = raindrop_mask(rainy, clean)
        size = f'{rainy.shape[1]}x{rainy.shape[0]}'
        place = '/'.join(pair.rainy.parts[-3:])
        caption = f'{place}   {size}   mask {np.mean(mask > 0):.1%}'
        rows.append((caption, (rainy, clean, mask)))
    return contact_sheet(('rainy', 'clean', 'mask (mean > 30, dilation 3)'), rows)


def sample_sheets(dataset: PairDataset, count: int, rows_per_sheet: int = 8) -> list[ImageArray]:
    """Show samples after the pipeline, as the network gets them.

    Args:
        dataset: Data set whose pipeline ends with `PackPair` or `PackInputs`.
        count: Number of samples, in the data set's order; after its end it starts again with other
            random numbers.
        rows_per_sheet: Samples on one sheet.

    Returns:
        Sheets, RGB (H, W, 3), uint8.

    Raises:
        UserError: The pipeline ends with neither.
    """
    rows = [sample_row(dataset[SeededIndex(n % len(dataset), n)]) for n in range(count)]
    kinds = {len(images) for _, images in rows}
    headings = ('rainy', 'clean', 'mask')[: min(kinds)]
    starts = range(0, len(rows), rows_per_sheet)
    return [contact_sheet(headings, rows[start : start + rows_per_sheet]) for start in starts]


def sample_row(sample: dict[str, Any]) -> tuple[str, list[ImageArray]]:
    """Return the caption and the images of a packed sample: rainy, clean, and mask if it has one.

    Raises:
        UserError: The sample was packed neither by `PackPair` nor by `PackInputs`.
    """
    if 'pairs' in sample:  # of `PackPair`, or several of `RenderPairs`
        pairs = np.asarray(sample['pairs'])
        pair = pairs if pairs.ndim == 3 else pairs[0]
        parts = (pair[..., :3], pair[..., 3:6], pair[..., 6])
        return _caption(sample['names'], pair), [np.ascontiguousarray(part) for part in parts]
    if 'data_samples' not in sample:
        raise UserError(
            'The pipeline ends neither with PackPair nor with PackInputs, so there is nothing to show.'
        )
    data = sample['data_samples']
    order = data.metainfo.get('img_channel_order', 'bgr')
    tensors = [sample['inputs'], data.gt_img] + ([data.mask] if 'mask' in data else [])
    images = []
    for tensor in tensors:
        image = tensor.permute(1, 2, 0).numpy()
        if image.shape[2] == 1:
            image = image[..., 0]
        elif order == 'bgr':
            image = image[..., ::-1]
        images.append(np.ascontiguousarray(image))
    name = data.metainfo.get('img_path', 'sample')
    return f'{_caption(name, images[0])}   {order}', images


def _caption(path: object, image: NDArray[Any]) -> str:
    name = str(path).replace('\\', '/').rsplit('/', 1)[-1]
    return f'{name}   {image.shape[1]}x{image.shape[0]}'
