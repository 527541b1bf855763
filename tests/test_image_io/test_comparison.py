"""Rows of images hold what they say."""

from __future__ import annotations

import numpy as np
from attentive_gan.image_io.comparison import (
    CAPTION_HEIGHT,
    GAP,
    attention_image,
    comparison_grid,
    comparison_row,
)


def test_attention_grows_from_dark_to_bright():
    colours = attention_image(np.linspace(-1, 1, 9, dtype=np.float32)[None]).astype(int)
    brightness = (colours @ np.array([299, 587, 114]))[0]
    assert (np.diff(brightness[4:]) > 0).all()
    assert (brightness[:4] == brightness[4]).all()


def test_a_row_holds_its_images_unchanged():
    images = [np.full((10, 30, 3), value, np.uint8) for value in (10, 200)]
    row = comparison_row([('first', images[0]), ('second', images[1])])
    assert row.shape == (10 + CAPTION_HEIGHT, 60 + GAP, 3)
    assert (row[CAPTION_HEIGHT:, :30] == 10).all()
    assert (row[CAPTION_HEIGHT:, 30 + GAP :] == 200).all()
    assert comparison_grid([row, row[:, :20]]).shape == (2 * row.shape[0] + GAP, row.shape[1], 3)
