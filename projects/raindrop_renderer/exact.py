"""Image arithmetic without rounding errors, so that a rendering has the same bytes on any machine.

Sums of products differ in their last bits between processors: some fuse a multiplication with an
addition, some add in another order. They do not differ where every intermediate result is a number that
the type holds exactly. So images here hold whole numbers, weights are whole numbers over a power of two,
and the bits of both together stay within the 24 of float32 (or the 53 of float64). Single operations
between two arrays, square roots and rounding are exact by IEEE 754 anyway.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
AnyFloats = TypeVar('AnyFloats', NDArray[np.float32], NDArray[np.float64])

#: A kernel's whole numbers add up to this (10 bits).
KERNEL_SUM = 1024

#: Largest number of weights in one pass: OpenCV may filter with larger kernels by Fourier transforms,
#: which round.
_LARGEST_KERNEL = 49

#: Largest enlargement in one pass: bilinear weights are multiples of 1 / (2 * factor) in each direction.
_LARGEST_STEP = 8


def whole(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to whole numbers; an error in the last bits of a value halfway between two changes nothing.

    Functions such as the sine may differ in the last bit between machines.
    """
    return np.rint(np.round(values, 6))


def filter_whole(image: AnyFloats, kernel: Floats) -> AnyFloats:
    """Filter with a kernel of whole numbers that add up to `KERNEL_SUM`, and divide by that sum.

    Args:
        image: (H, W) or (H, W, C) of whole numbers: up to 2**14 in float32, 2**43 in float64.
        kernel: (K, K), K odd.

    Returns:
        The part for which all neighbours are known, (H - K + 1, W - K + 1) or with channels; multiples
        of 1 / 1024.
    """
    size = kernel.shape[0]
    half, out_rows = size // 2, image.shape[0] - size + 1
    step = max(1, _LARGEST_KERNEL // size)
    total = np.zeros((out_rows, image.shape[1] - 2 * half, *image.shape[2:]), image.dtype)
    for top in range(0, size, step):
        part = cv2.filter2D(image, -1, kernel[top : top + step], anchor=(half, 0))
        total += part[top : top + out_rows, half : image.shape[1] - half]
    total *= 1 / KERNEL_SUM
    return total


def box_blur(image: AnyFloats, size: int) -> AnyFloats:
    """Average whole numbers over windows of size x size (odd), and round to whole numbers."""
    if size <= 1:
        return image
    # OpenCV adds float32 images up in float64, so the sums are exact; then one multiplication.
    blurred = cv2.blur(image, (size, size), borderType=cv2.BORDER_REPLICATE)
    return np.rint(blurred, out=blurred)


def box_blur_levels(image: NDArray[np.uint16], size: int) -> NDArray[np.uint16]:
    """Average levels over windows of size x size and round; for windows of 3, 5 or 7 pixels.

    Fast, and exact for these sizes: OpenCV divides the exact sum in float32, whose error of 0.004 is less
    than the distance of any result from a half.
    """
    blurred = cv2.blur(image, (size, size), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.uint16)


def enlarge(image: Floats, factor: int) -> Floats:
    """Enlarge whole numbers below 2**16 bilinearly by a power of two.

    Args:
        image: (H, W) or (H, W, C).
        factor: 1, 2, 4, ...

    Returns:
        (H * factor, W * factor) or with channels. Rounded to whole numbers between steps of 8, else exact.
    """
    while factor > 1:
        step = min(factor, _LARGEST_STEP)
        height, width = image.shape[:2]
        size = (width * step, height * step)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.float32)
        factor //= step
        if factor > 1:
            np.rint(image, out=image)
    return image


def shrink(image: Floats, factor: int) -> Floats:
    """Average whole numbers below 2**16 over blocks of factor x factor, a power of two.

    The border is repeated up to whole blocks.

    Returns:
        (ceil(H / factor), ceil(W / factor)) or with channels, rounded to whole numbers.
    """
    while factor > 1:
        step = min(factor, _LARGEST_STEP)
        below, right = -image.shape[0] % step, -image.shape[1] % step
        padded = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
        size = (padded.shape[1] // step, padded.shape[0] // step)
        image = np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), np.float32)
        np.rint(image, out=image)
        factor //= step
    return image


def smooth_field(
    grid: NDArray[np.float64], down: NDArray[np.float64], across: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate a small grid of random values by uniform cubic B-splines.

    Args:
        grid: Values 0 to 1, (rows, columns), at least 4x4; rounded to 1 / 1024.
        down: Places of the output's rows, (H,), 0 to 1 from the top to the bottom of the grid.
        across: Places of the output's columns, (W,), 0 to 1.

    Returns:
        (H, W), 0 to 1, multiples of 2**-26.
    """
    values = np.rint(grid * 1024) / 1024
    rows, columns = (
        _spline(places, n) for places, n in ((down, len(grid)), (across, len(grid[0])))
    )
    # Weights are multiples of 1 / 256: both products are exact, whatever the order of the additions.
    return np.asarray(rows @ values @ columns.T)


def _spline(places: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return weights (len(places), count) of cubic B-splines, multiples of 1 / 256 with sum 1."""
    return _known_spline(places.tobytes(), count)


@lru_cache(maxsize=128)
def _known_spline(content: bytes, count: int) -> NDArray[np.float64]:
    """Compute the weights for places that are given as bytes; renderings ask for few different ones."""
    places = np.frombuffer(content, np.float64)
    position = np.clip(places, 0, 1) * (count - 3) * (1 - 1e-9)
    cell = position.astype(int)
    t = np.rint((position - cell) * 64) / 64
    pieces = {0: (1 - t) ** 3 / 6, 1: (3 * t**3 - 6 * t**2 + 4) / 6, 3: t**3 / 6}
    weights = np.zeros((len(places), count))
    rows = np.arange(len(places))
    for offset, piece in pieces.items():
        weights[rows, cell + offset] = whole(piece * 256) / 256
    weights[rows, cell + 2] = 1 - weights.sum(axis=1)
    weights.setflags(write=False)
    return weights
