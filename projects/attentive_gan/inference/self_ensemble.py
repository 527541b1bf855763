"""The mean of a network's results for the eight flips and turns of an image.

Source: Timofte et al., "Seven Ways to Improve Example-Based Single Image Super Resolution", CVPR 2016; EDSR
calls it geometric self-ensemble.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Quarter turns, and whether the image is mirrored before them.
TURNS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))


def mean_of_turns(
    image: NDArray[Any], restored: Callable[[NDArray[Any], int], tuple[NDArray[Any], ...]]
) -> tuple[NDArray[Any], ...]:
    """Return the means of a function's results for the eight flips and turns of an image.

    Args:
        image: (H, W, C).
        restored: Takes an image and its number from 0; returns arrays (H, W) or (H, W, C) of its size.

    Returns:
        The means, of the types of the results; integers are rounded.

    Example:
        >>> image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
        >>> (mean,) = mean_of_turns(image, lambda turned, _: (turned,))
        >>> bool((mean == image).all())
        True
    """
    sums: list[NDArray[np.float32]] = []
    kinds: list[np.dtype[Any]] = []
    for number, (turns, mirrored) in enumerate(TURNS):
        turned = np.rot90(image[:, ::-1] if mirrored else image, turns)
        results = restored(np.ascontiguousarray(turned), number)
        back = [np.rot90(result, -turns) for result in results]
        back = [result[:, ::-1] for result in back] if mirrored else back
        if not sums:
            kinds = [result.dtype for result in results]
            sums = [np.zeros(result.shape, np.float32) for result in back]
        sums = [total + result for total, result in zip(sums, back, strict=True)]
    means = [total / len(TURNS) for total in sums]
    return tuple(
        (np.rint(mean) if np.issubdtype(kind, np.integer) else mean).astype(kind)
        for mean, kind in zip(means, kinds, strict=True)
    )
