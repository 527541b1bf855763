"""Whole-number image arithmetic equals float64 references to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from raindrop_renderer.aperture import aperture_kernel
from raindrop_renderer.exact import (
    KERNEL_SUM,
    box_blur,
    enlarge,
    filter_whole,
    shrink,
    smooth_field,
    whole,
)
from scipy import interpolate, ndimage


def numbers(shape, bits, seed=0):
    return np.random.default_rng(seed).integers(0, 2**bits, shape).astype(np.float32)


@pytest.mark.parametrize('radius', [0.0, 1.0, 2.4, 3.6, 5.2])
@pytest.mark.parametrize('kind', [np.float32, np.float64])
def test_filter(radius, kind):
    image = numbers((40, 31, 4), 14).astype(kind)
    kernel = aperture_kernel(radius, 5, 20.0)
    half = len(kernel) // 2
    expected = ndimage.correlate(image.astype(np.float64), kernel[..., None] / KERNEL_SUM)
    expected = expected[half:-half, half:-half]
    found = filter_whole(image, kernel)
    assert found.dtype == kind
    np.testing.assert_array_equal(found, expected)


def bilinear(image, factor):
    """Enlarge by matrices in float64."""

    def matrix(size):
        places = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        return np.maximum(1 - np.abs(places[:, None] - np.arange(size)), 0)

    height, width = image.shape
    return matrix(height) @ image.astype(np.float64) @ matrix(width).T


@pytest.mark.parametrize('factor', [1, 2, 4, 8])
def test_enlarge(factor):
    image = numbers((9, 13), 16)
    np.testing.assert_array_equal(enlarge(image, factor), bilinear(image, factor))


def test_enlarge_in_two_steps_rounds_between():
    image = numbers((5, 6), 16)
    expected = bilinear(np.rint(bilinear(image, 8)), 4)
    np.testing.assert_array_equal(enlarge(image, 32), expected)


@pytest.mark.parametrize('factor', [1, 2, 8])
def test_shrink(factor):
    image = numbers((24, 40, 3), 16)
    blocks = image.reshape(24 // factor, factor, 40 // factor, factor, 3)
    expected = np.rint(blocks.astype(np.float64).mean(axis=(1, 3)))
    np.testing.assert_array_equal(shrink(image, factor), expected)


def test_shrink_repeats_the_border_up_to_whole_blocks():
    image = numbers((9, 17), 12)
    padded = np.pad(image, ((0, 7), (0, 7)), mode='edge')
    np.testing.assert_array_equal(shrink(image, 8), shrink(padded, 8))


def test_box_blur():
    image = numbers((20, 21, 3), 14)
    expected = ndimage.uniform_filter(image.astype(np.float64), (5, 5, 1), mode='nearest')
    assert np.abs(box_blur(image, 5) - expected).max() <= 0.5 + 1e-9


def test_smooth_field_is_the_cubic_b_spline():
    grid = np.random.default_rng(1).random((6, 8))
    across = np.linspace(0, 1, 101)
    spline = interpolate.BSpline(np.arange(-3, 9), grid[2], 3)
    found = smooth_field(np.broadcast_to(grid[2], (6, 8)), np.array([0.3]), across)
    np.testing.assert_allclose(found[0], spline(across * 5 * (1 - 1e-9)), atol=0.015)


def test_smooth_field_stays_within_its_grid():
    field = smooth_field(np.ones((4, 4)), np.linspace(0, 1, 9), np.linspace(0, 1, 7))
    np.testing.assert_array_equal(field, 1)


def test_rounding_forgets_the_last_bits():
    half = np.array([2.5, 3.5])
    np.testing.assert_array_equal(whole(half + 1e-12), whole(half - 1e-12))
