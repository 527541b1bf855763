"""A network in the form in which it is exported: RGB images of any size in, all of its results out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from attentive_gan.errors import UserError
from attentive_gan.inference.torch_backend import gives_attention, task_function
from attentive_gan.utils.types import ChannelOrder


class Exportable(nn.Module):
    """Exchanges red and blue around a network that works in BGR, and returns a tuple of results.

    Args:
        network: Maps images (N, 3, H, W), values 0 to 1, to images of the same size.
        channel_order: Colour order that it works in.
    """

    def __init__(self, network: nn.Module, channel_order: ChannelOrder) -> None:
        super().__init__()
        self.network = network
        self.reverse = channel_order == 'bgr'
        self.result_names = ['restored', 'attention'] if gives_attention(network) else ['restored']

    def forward(self, rainy: Tensor) -> tuple[Tensor, ...]:
        """Return restored images (N, 3, H, W) and, where there are any, attention maps (N, 1, H, W).

        Args:
            rainy: RGB (N, 3, H, W), values 0 to 1.
        """
        task: Literal['both', 'restore'] = 'both' if len(self.result_names) > 1 else 'restore'
        image = rainy.flip(1) if self.reverse else rainy
        restored, *maps = task_function(self.network, task)(image)
        return (restored.flip(1) if self.reverse else restored, *maps)


def program_of(module: Exportable, name: str, size_multiple: int | None) -> ExportedProgram:
    """Record a network for any number of images of any size.

    Args:
        module: The network, on the CPU.
        name: Its name, for messages.
        size_multiple: What it pads sides to multiples of.

    Raises:
        UserError: PyTorch cannot export it.
    """
    side = (size_multiple or 1) + 24
    example = torch.zeros(2, 3, side, side + 13)
    sizes = dict.fromkeys((0, 2, 3), Dim.DYNAMIC)
    try:
        with _sizes_left_open():
            return torch.export.export(
                module.eval(), (example,), dynamic_shapes=(sizes,), strict=False
            )
    except Exception as error:  # whatever the network's code meets while it is recorded
        raise UserError(
            f'{name}: {type(module.network).__name__} cannot be exported for images of any size '
            f'({first_line(error)})'
        ) from error


def first_line(error: BaseException) -> str:
    """Return what an error says first, in at most 200 characters."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]


@contextmanager
def _sizes_left_open() -> Iterator[None]:
    """Record without assuming that a side is longer than 1, or no multiple of anything.

    Without this the exported program refuses sizes for which PyTorch could have chosen a faster layout.
    """
    from torch.fx.experimental import _config

    if not hasattr(_config, 'backed_size_oblivious'):
        raise UserError(f'torch {torch.__version__} cannot export for any size; install torch>=2.7')
    with _config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        yield
