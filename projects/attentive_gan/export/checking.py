"""Compares an exported file with the network that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attentive_gan.errors import UserError

from .exportable import Exportable, first_line

#: Images, height and width: one pixel; less than any multiple; odd; several; larger.
SIZES = ((1, 1, 1), (1, 3, 2), (1, 61, 83), (2, 64, 96), (1, 150, 130))

#: Largest difference that is accepted, for values of about 0 to 1.
TOLERANCE = 1e-4

#: Runs the exported file.
Run = Callable[[Tensor], Sequence[Tensor]]


@dataclass(frozen=True)
class Check:
    """How far a file's results are from PyTorch's at one size."""

    size: tuple[int, int, int]
    """Number of images, height, width."""
    error: float
    """Largest absolute difference over all results."""


def images() -> list[Tensor]:
    """Return random images (N, 3, H, W), values 0 to 1, one batch for each of `SIZES`."""
    random = torch.Generator().manual_seed(0)
    return [torch.rand(n, 3, height, width, generator=random) for n, height, width in SIZES]


def check(module: Exportable, run: Run, what: str) -> list[Check]:
    """Compare at every size.

    Args:
        module: The network.
        run: Runs the exported file on images.
        what: The file, for messages.

    Returns:
        The differences, all within `TOLERANCE`.

    Raises:
        UserError: The file cannot take a size, or gives something else.
    """
    checks = []
    for rainy in images():
        count, _, height, width = rainy.shape
        shown = f'{count} of {width}x{height} pixels'
        with torch.no_grad():
            expected = module(rainy)
        try:
            with torch.no_grad():
                results = run(rainy)
        except Exception as error:  # each runtime has errors of its own
            raise _refusal(module, what, f'fails on {shown} ({first_line(error)})') from error
        if [r.shape for r in results] != [e.shape for e in expected]:
            raise _refusal(module, what, f'gives results of other sizes for {shown}')
        apart = max(float((r - e).abs().max()) for r, e in zip(results, expected, strict=True))
        if not apart <= TOLERANCE:  # also if it is no number
            raise _refusal(module, what, f'differs from PyTorch by {apart:.2g} on {shown}')
        checks.append(Check((count, height, width), apart))
    return checks


def _refusal(module: Exportable, what: str, fault: str) -> UserError:
    network = type(module.network).__name__
    return UserError(
        f'{what} of {network} {fault}, so nothing was written; this network needs PyTorch'
    )
