"""Batches that cannot be stacked are refused before a training."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from attentive_gan.engine.runner.image_sizes import check_equal_sizes
from attentive_gan.errors import UserError


class Images:
    """A data set of images with some heights, which may be cropped to one."""

    def __init__(self, heights: list[int], crop: int = 1000) -> None:
        self.heights, self.crop = heights, crop

    def __len__(self) -> int:
        return len(self.heights)

    def get_data_info(self, index: int) -> dict:
        return {'size': (self.heights[index], 128)}

    def __getitem__(self, index: int) -> dict:
        return {'inputs': torch.zeros(3, min(self.heights[index], self.crop), 128)}


def loop(images: object, batch_size: int) -> SimpleNamespace:
    return SimpleNamespace(dataloader=SimpleNamespace(dataset=images, batch_size=batch_size))


@pytest.mark.parametrize('several', [False, True])
def test_unequal_images_in_one_batch_are_refused(several: bool) -> None:
    made = loop(Images([96, 104, 96]), 2)
    if several:  # as in MMagic's loops over several data sets
        made = SimpleNamespace(dataloaders=[loop(Images([96, 96]), 2).dataloader, made.dataloader])
    with pytest.raises(UserError, match=r'val_dataloader\.batch_size is 2.*128x96, 128x104'):
        check_equal_sizes(made, 'val_dataloader')


@pytest.mark.parametrize(
    ('images', 'batch_size'),
    [(Images([96, 104]), 1), (Images([96, 96]), 2), (Images([96, 104], crop=64), 2), ([1, 2], 2)],
)
def test_other_batches_are_accepted(images: object, batch_size: int) -> None:
    check_equal_sizes(loop(images, batch_size), 'val_dataloader')
