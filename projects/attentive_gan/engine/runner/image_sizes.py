"""A check, before a training, that batches of validation or test images can be stacked."""

from __future__ import annotations

from typing import Any

from attentive_gan.errors import UserError


def check_equal_sizes(loop: Any, field: str) -> None:
    """Refuse batches of images of different sizes, which would end a training at its first validation.

    Two samples are read, of the smallest and the largest image, and only if there may be a difference.

    Args:
        loop: Loop with `dataloader`, or `dataloaders` as MMagic's loops have.
        field: Config field of the data loader, for the message.

    Raises:
        UserError: The batch size is above 1 and samples of a data set differ in size.
    """
    loaders = loop.dataloaders if hasattr(loop, 'dataloaders') else [loop.dataloader]
    for dataloader in loaders:
        _check_dataloader(dataloader, field)


def _check_dataloader(dataloader: Any, field: str) -> None:
    dataset: Any = getattr(dataloader, 'dataset', None)
    if (getattr(dataloader, 'batch_size', 1) or 1) < 2 or not hasattr(dataset, 'get_data_info'):
        return
    sizes = [dataset.get_data_info(index).get('size') for index in range(len(dataset))]
    if None in sizes or len(set(map(tuple, sizes))) < 2:
        return
    order = sorted(range(len(sizes)), key=lambda index: tuple(sizes[index]))
    shapes = {tuple(dataset[index]['inputs'].shape[-2:]) for index in (order[0], order[-1])}
    if len(shapes) > 1:
        (low, wide), (high, broad) = sorted(shapes)
        raise UserError(
            f'{field}.batch_size is {dataloader.batch_size}, but its images differ in size ({wide}x{low}, '
            f'{broad}x{high}) and cannot be one batch; set {field}.batch_size=1'
        )
