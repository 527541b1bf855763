"""From a training's checkpoint to a small file that anyone can load without running code from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.utils.atomic_io import atomic_write
from attentive_gan.utils.checkpoint_io import read_checkpoint

from .card import write_card
from .description import HEADER_KEY, WeightsDescription

#: Parts of a checkpoint's names that belong to the network which restores: the average of an editor
#: that keeps one itself, else the generator.
_PREFIXES = ('generator_ema.module.', 'generator.')

#: Largest change that half precision may make to a weight, as a share of the largest weight of its tensor.
_LARGEST_CHANGE = 1e-3


def publish_generator(
    checkpoint: Path, out: Path, description: WeightsDescription | None = None
) -> str:
    """Write the generator of a checkpoint as half-precision safetensors.

    Where the weights were averaged, by an `EMAHook` or the editor, it is the average.

    Args:
        checkpoint: A `.pth` file of a training.
        out: `.safetensors` file to write.
        description: What the file shall say of itself; the iterations are the checkpoint's. With it a card
            is written beside the file, unless there is one.

    Returns:
        SHA-256 of the written file, in hexadecimal.

    Raises:
        UserError: The checkpoint cannot be read, holds no generator, or its weights do not survive half
            precision; or the file cannot be written.
    """
    stored = read_checkpoint(checkpoint)
    parts = (halved_part(stored['state_dict'], prefix, checkpoint) for prefix in _PREFIXES)
    halved = next((part for part in parts if part), {})
    if not halved:
        raise UserError(f'{checkpoint} holds no weights of a generator ({_PREFIXES[1]}*).')
    if description is not None:
        iterations = str(stored.get('meta', {}).get('iter', 'unknown'))
        description = replace(description, iterations=iterations)
    sha256 = save_weights(halved, out, description)
    if description is not None:
        write_card(out, description, sha256, sum(value.numel() for value in halved.values()))
    return sha256


def halved_part(state: Mapping[str, Tensor], prefix: str, source: Path) -> dict[str, Tensor]:
    """Take the weights of one network out of a training's, in half precision.

    Args:
        state: Weights of the training by name.
        prefix: What the names of the network begin with, such as 'generator.'.
        source: File of the training's weights, for messages.

    Returns:
        Its weights without the prefix; empty if there are none.

    Raises:
        UserError: A weight does not survive half precision.
    """
    return {
        name.removeprefix(prefix): _halved(name, value, source)
        for name, value in state.items()
        if name.startswith(prefix)
    }


def save_weights(
    state: Mapping[str, Tensor], out: Path, description: WeightsDescription | None
) -> str:
    """Write tensors as safetensors; equal ones with an equal description give equal files.

    Args:
        state: Tensors by name.
        out: File to write.
        description: What the file shall say of itself.

    Returns:
        SHA-256 of the written file, in hexadecimal.

    Raises:
        UserError: The file cannot be written.
    """
    from safetensors.torch import save

    # One key only: safetensors writes several in an order that differs from run to run.
    header = {} if description is None else {HEADER_KEY: description.to_json()}
    written = save({name: value.contiguous() for name, value in state.items()}, header)
    # Tensors that were read from the old file are views of it until they are let go.
    with atomic_write(out) as unfinished:
        unfinished.write_bytes(written)
    return hashlib.sha256(written).hexdigest()


def _halved(name: str, value: Tensor, source: Path) -> Tensor:
    """Return a tensor in half precision, if that keeps its values."""
    if not value.is_floating_point():
        return value.contiguous()
    half = value.to(torch.float16).contiguous()
    change = float((half.float() - value.float()).abs().max()) if value.numel() else 0.0
    if not change <= _LARGEST_CHANGE * float(value.abs().max()):
        raise UserError(f'{source}: {name} does not survive half precision (change {change:.3g}).')
    return half
