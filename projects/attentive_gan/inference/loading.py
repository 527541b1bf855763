"""Builds the network that restores, with its weights, on its device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from attentive_gan.engine.shipped_weights import shipped_weights
from attentive_gan.errors import UserError
from attentive_gan.networks.padding import PaddingMode

#: Weights that are taken where none are named.
DEFAULT_WEIGHTS = 'unet_rendered'


@dataclass(frozen=True)
class LoadedNetwork:
    """A network ready to restore."""

    network: nn.Module
    """Maps pictures (N, 3, H, W), values 0 to 1, to pictures of the same size; in evaluation mode."""
    name: str
    """Stem of the config, for messages and records."""
    channel_order: Literal['rgb', 'bgr']
    """Colour order that it works in."""
    weights_sha256: str
    """SHA-256 of the weights' file, hexadecimal."""
    size_multiple: int | None
    """Sides that it does not pad are multiples of this; None if it does not say."""
    padding_mode: PaddingMode
    """How it pads other sides."""
    like: Tensor
    """A value of the type and on the device that it works with."""


def choose_device(name: str) -> torch.device:
    """Return the device of a name: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UserError: There is no such device here.
    """
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f'--device {name}: choose auto, cpu, cuda or cuda:N') from error
    if device.type == 'cuda' and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f'--device {name}: torch finds {torch.cuda.device_count()} CUDA devices on this machine'
        )
    return device


def load_network(
    config: str | None, weights: str | None, device: torch.device, precision: str
) -> LoadedNetwork:
    """Build a network and load its weights.

    Args:
        config: Config file; None takes the shipped weights' own.
        weights: Weights (.safetensors or .pth); None takes those that ship.
        device: Where the network works.
        precision: `float32`, `bfloat16` or `float16`.

    Raises:
        UserError: A file is missing or does not fit, or only the config is given.
    """
    from attentive_gan.engine.inference_model import load_inference_model

    if weights is None:
        if config is not None:
            raise UserError(f'{config}: name the weights of this config too (--weights)')
        shipped = shipped_weights(DEFAULT_WEIGHTS)
        weights = str(shipped.path)
        config = str(Path(__file__).resolve().parents[3] / shipped.config)
    if config is None:
        raise UserError(f'{weights}: name the config of these weights too (--config)')
    model = load_inference_model(config, weights, str(device))
    network = model.network
    if network is None:
        raise UserError(f'{config}: its model has no generator, so it cannot be run in parts')
    return adopt_network(
        network, device, precision, model.name, model.channel_order, model.weights_sha256
    )


def adopt_network(
    network: nn.Module,
    device: torch.device,
    precision: str,
    name: str = '',
    channel_order: Literal['rgb', 'bgr'] = 'rgb',
    weights_sha256: str = '',
) -> LoadedNetwork:
    """Make a network at hand ready to restore.

    Args:
        network: Maps pictures (N, 3, H, W), values 0 to 1, to pictures of the same size.
        device: Where it shall work.
        precision: `float32`, `bfloat16` or `float16`.
        name: Its name; the class's by default.
        channel_order: Colour order that it works in.
        weights_sha256: SHA-256 of its weights' file.
    """
    dtype = getattr(torch, precision)
    network = network.to(device, dtype).eval()
    return LoadedNetwork(
        network, name or type(network).__name__, channel_order, weights_sha256,
        getattr(network, 'size_multiple', None), getattr(network, 'padding_mode', 'replicate'),
        torch.zeros((), dtype=dtype, device=device),
    )  # fmt: skip
