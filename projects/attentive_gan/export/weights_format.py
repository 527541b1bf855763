"""Weights that describe themselves (.safetensors), with a card beside them."""

from __future__ import annotations

from pathlib import Path

from attentive_gan.checkpoints.description import (
    WeightsDescription,
    build_described,
    read_description,
)
from attentive_gan.checkpoints.publishing import save_weights
from attentive_gan.inference.torch_backend import TorchBackend

from .checking import Check, check
from .exportable import Exportable


def write_weights(loaded: TorchBackend, description: WeightsDescription, path: Path) -> list[Check]:
    """Write the weights of a network as they are, and compare what the file describes.

    Args:
        loaded: The network.
        description: What the file shall say of it.
        path: File to write; on an error it may be there but must not be used.

    Raises:
        UserError: The file cannot be written, or describes another network.
    """
    save_weights(loaded.network.state_dict(), path, description)
    found = read_description(path)
    assert found is not None  # noqa: S101  (just written)
    again = Exportable(build_described(found, path), found.channel_order)
    module = Exportable(loaded.network, loaded.channel_order)
    return check(module, again, 'the weights file')
