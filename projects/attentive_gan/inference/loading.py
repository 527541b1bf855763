"""Builds the network that restores, with its weights, on its device."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import torch
from torch import nn

from attentive_gan.checkpoints.description import (
    UnknownNetworkError,
    WeightsDescription,
    build_described,
    read_description,
)
from attentive_gan.checkpoints.shipped import shipped_weights
from attentive_gan.errors import UserError
from attentive_gan.utils.digests import digest
from attentive_gan.utils.types import ChannelOrder

from .onnx_backend import OnnxBackend
from .torch_backend import TorchBackend

#: Weights that are taken where none are named.
DEFAULT_WEIGHTS = 'attgan_small'


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


def load_network(config: str | None, weights: str | None, device: torch.device) -> TorchBackend:
    """Build a network and load its weights.

    Args:
        config: Config file; None takes the description stored with the weights, or, where there is none,
            lets spandrel recognise the network.
        weights: Weights (.safetensors or .pth); None takes those that ship.
        device: Where the network works.

    Raises:
        UserError: A file is missing or does not fit, the weights do not describe themselves, or only the
            config is given.
    """
    if config is None:
        path = _weights_path(weights)
        description = _read_description(path)
        if description is None:
            # Imported by files of other projects alone.
            from attentive_gan.checkpoints.spandrel_network import build_by_spandrel

            return adopt_network(build_by_spandrel(path), device, path.stem, 'rgb', digest(path))
        return adopt_network(
            build_described(description, path), device, description.name,
            description.channel_order, digest(path),
        )  # fmt: skip
    if weights is None:
        raise UserError(f'{config}: name the weights of this config too (--weights)')
    _register()
    # What trains takes seconds to import, and is needed for configs alone.
    from attentive_gan.config.inference_model import load_inference_model

    model = load_inference_model(config, weights, str(device))
    network = model.network
    if network is None:
        raise UserError(f'{config}: its model has no generator, so it cannot be run in parts')
    return adopt_network(network, device, model.name, model.channel_order, model.weights_sha256)


def load_exported(config: str | None, weights: str | None, device: str) -> OnnxBackend:
    """Load an ONNX file.

    Args:
        config: Must be None: the file needs none.
        weights: The file.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UserError: There is no file or it does not fit, or ONNX Runtime is missing or cannot use the device.
    """
    if config is not None or weights is None or not weights.endswith('.onnx'):
        raise UserError(
            'ONNX Runtime takes an .onnx file of tools/export.py as --weights, and no --config'
        )
    return OnnxBackend.from_file(Path(weights), device)


def load_description(config: str | None, weights: str | None) -> WeightsDescription:
    """Return the description to store with weights, from their config or from the weights themselves.

    Args:
        config: Config file; None takes the description stored with the weights.
        weights: Weights (.safetensors or .pth); None takes those that ship.

    Raises:
        UserError: A file is missing or does not fit, or has no description.
    """
    if config is None:
        return _own_description(_weights_path(weights))
    _register()
    from attentive_gan.checkpoints.config_description import describe
    from attentive_gan.config.reading import load_config

    return describe(load_config(config), config)


def _register() -> None:
    """Register all names; this imports what trains, which takes seconds."""
    importlib.import_module('attentive_gan.registration')


def _weights_path(weights: str | None) -> Path:
    return Path(weights) if weights is not None else shipped_weights(DEFAULT_WEIGHTS).path


def _own_description(path: Path) -> WeightsDescription:
    description = _read_description(path)
    if description is None:
        raise UserError(
            f'{path} does not describe its network, as checkpoints of this project do; name the config of '
            'these weights too (--config)'
        )
    return description


def _read_description(path: Path) -> WeightsDescription | None:
    if path.suffix == '.onnx':
        raise UserError(f'{path} is an ONNX file; choose --backend onnxruntime, or auto')
    if path.suffix == '.pt2':
        raise UserError(
            f'{path} is a program of torch.export, for other programs; name the weights that it was made '
            'from, or an .onnx file of tools/export.py'
        )
    if '://' in str(path) or re.match(r'https?:/', str(path)):
        raise UserError(f'{path} is an address; download the weights first, and name the file')
    try:
        return read_description(path)
    except UnknownNetworkError:
        _register()  # it may be one of MMagic's
        return read_description(path)


def adopt_network(
    network: nn.Module,
    device: torch.device,
    name: str = '',
    channel_order: ChannelOrder = 'rgb',
    weights_sha256: str = '',
) -> TorchBackend:
    """Prepare a network to restore images.

    Args:
        network: Maps images (N, 3, H, W), values 0 to 1, to images of the same size.
        device: Device to run it on.
        name: Its name; the class's by default.
        channel_order: Colour order that it works in.
        weights_sha256: SHA-256 of its weights' file.
    """
    network = network.to(device, torch.float32).eval()
    if device.type == 'cuda':
        # cuDNN's matrix units want the channels of a pixel side by side; CPUs choose a layout themselves.
        network = network.to(memory_format=torch.channels_last)
    return TorchBackend(
        name=name or type(network).__name__,
        channel_order=channel_order,
        weights_sha256=weights_sha256,
        size_multiple=getattr(network, 'size_multiple', None),
        padding_mode=getattr(network, 'padding_mode', 'replicate'),
        like=torch.zeros((), device=device),
        device=device,
        network=network,
        smallest=getattr(network, 'smallest', 16),
        inexact_tiles=getattr(network, 'inexact_tiles', False),
    )
