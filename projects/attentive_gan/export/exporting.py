"""Exports a network by its config and weights."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from attentive_gan.checkpoints.card import write_card
from attentive_gan.errors import UserError
from attentive_gan.inference import record
from attentive_gan.inference.backend import Task
from attentive_gan.inference.loading import load_description, load_network
from attentive_gan.inference.model_metadata import ModelMetadata
from attentive_gan.inference.torch_backend import TorchBackend, task_function
from attentive_gan.utils.atomic_io import atomic_write
from attentive_gan.utils.digests import digest

from .checking import Check
from .exportable import Exportable
from .onnx_format import write_onnx
from .program_format import write_program
from .weights_format import write_weights

#: Formats by name, with the suffix of their files.
FORMATS = {'onnx': '.onnx', 'exported-program': '.pt2', 'safetensors': '.safetensors'}


@dataclass(frozen=True)
class Export:
    """A file that was written."""

    path: Path
    """The file."""
    name: str
    """Name of the network and its weights."""
    seconds: float
    """Time that writing and checking took."""
    checks: list[Check]
    """How far its results are from PyTorch's."""


def format_of(path: Path) -> str:
    """Return the format that a file's suffix stands for.

    Raises:
        UserError: It stands for none.
    """
    for name, suffix in FORMATS.items():
        if path.suffix == suffix:
            return name
    raise UserError(
        f'{path}: end the name in one of {", ".join(FORMATS.values())}, or give --format'
    )


def export(config: str | None, weights: str | None, out: Path, form: str) -> Export:
    """Write a network to a file, and check the file; on an error, what was there before stays.

    Args:
        config: Config file; None takes what the weights say of themselves.
        weights: Weights (.safetensors or .pth); None takes those that ship.
        out: File to write.
        form: One of `FORMATS`.

    Raises:
        UserError: A file is missing or does not fit, a package is missing, the network cannot be
            exported, or the file gives something else than PyTorch.
    """
    started = time.monotonic()
    loaded = load_network(config, weights, torch.device('cpu'))
    with atomic_write(out, keep_suffix=True) as part:
        if form == 'safetensors':
            description = load_description(config, weights)
            checks = write_weights(loaded, description, part)
        else:
            network = loaded.network.requires_grad_(False)
            module = Exportable(network, loaded.channel_order)
            write = write_onnx if form == 'onnx' else write_program
            checks = write(module, metadata_of(loaded), part)
    if form == 'safetensors':
        parameters = sum(value.numel() for value in loaded.network.state_dict().values())
        write_card(out, description, digest(out), parameters)
    return Export(out, loaded.name, time.monotonic() - started, checks)


def metadata_of(loaded: TorchBackend) -> ModelMetadata:
    """Return the metadata to store in an exported file."""
    task: Task = 'both' if loaded.gives_attention else 'restore'
    recorded = record(task_function(loaded.network, task), (3,), loaded.size_multiple)
    return ModelMetadata(
        loaded.name, loaded.channel_order, loaded.size_multiple, loaded.padding_mode,
        recorded.graph.reach() if recorded.graph is not None else None,
        recorded.bytes_per_pixel, loaded.weights_sha256,
    )  # fmt: skip
