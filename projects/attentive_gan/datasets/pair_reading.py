"""Decoding of a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.image_io import read_image
from attentive_gan.utils.types import ImageArray


def read_pair(info: Mapping[str, Any]) -> tuple[ImageArray, ImageArray]:
    """Decode the rainy and the clean image of a sample.

    Args:
        info: A sample's entry with `img_path`, `gt_path` and, where both are halves of one image,
            `rainy_side` ('left' or 'right').

    Returns:
        Rainy and clean image, RGB (H, W, 3), uint8.

    Raises:
        UserError: A file cannot be read, or the two differ in size.
    """
    rainy = read_image(info['img_path'])
    side = info.get('rainy_side')
    if side:
        half = rainy.shape[1] // 2
        left, right = rainy[:, :half], rainy[:, half:]
        rainy, clean = (left, right) if side == 'left' else (right, left)
    else:
        clean = read_image(info['gt_path'])
    if rainy.shape != clean.shape:
        raise UserError(
            f'{info["img_path"]} is {rainy.shape[1]}x{rainy.shape[0]} but its clean partner '
            f'{info["gt_path"]} is {clean.shape[1]}x{clean.shape[0]}. Crop both to the same region.'
        )
    return rainy, clean
