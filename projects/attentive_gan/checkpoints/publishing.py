"""Makes weights from a checkpoint: small files that are loaded without running code from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_checkpoint, write_safetensors
from attentive_gan.utils.checkpoint_wrappers import weights_of

from .card import write_card
from .description import GENERATOR_PREFIXES, HEADER_KEY, WeightsDescription

#: Largest change of a weight by half precision, relative to the largest weight of its tensor.
_LARGEST_CHANGE = 1e-3


def publish_generator(
    checkpoint: Path, out: Path, description: WeightsDescription | None = None
) -> str:
    """Write the generator of a checkpoint as half-precision safetensors.

    If the weights were averaged, by an `EMAHook` or by the editor, it is the average.

    Args:
        checkpoint: A `.pth` file of a training.
        out: `.safetensors` file to write.
        description: Description of the weights, whose iterations are taken from the checkpoint. With it
            a card is written beside the file, unless there is one.

    Returns:
        SHA-256 of the written file, hexadecimal.

    Raises:
        UserError: The checkpoint cannot be read, has no generator, or its weights do not survive half
            precision; or the file cannot be written.
    """
    stored = read_checkpoint(checkpoint)
    state = weights_of(stored, checkpoint)
    parts = (halved_part(state, prefix, checkpoint) for prefix in GENERATOR_PREFIXES)
    halved = next((part for part in parts if part), {})
    if not halved:
        raise UserError(f'{checkpoint} holds no weights of a generator ({GENERATOR_PREFIXES[1]}*).')
    if description is None:
        return save_weights(halved, out, None)
    iterations = str(stored.get('meta', {}).get('iter', 'unknown'))
    description = replace(description, iterations=iterations)
    sha256 = save_weights(halved, out, description)
    write_card(out, description, sha256, sum(value.numel() for value in halved.values()))
    return sha256


def halved_part(state: Mapping[str, Tensor], prefix: str, source: Path) -> dict[str, Tensor]:
    """Return the weights of one network of a training, in half precision.

    Args:
        state: Weights of the training by name.
        prefix: Prefix of the network's names, such as 'generator.'.
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
    """Write weights with their description; equal ones give equal files.

    Args:
        state: Tensors by name.
        out: `.safetensors` file to write.
        description: Description of the weights, or None.

    Returns:
        SHA-256 of the written file, hexadecimal.

    Raises:
        UserError: The file cannot be written.
    """
    # One key only: safetensors writes several in an order that differs from run to run.
    header = {} if description is None else {HEADER_KEY: description.to_json()}
    return write_safetensors(state, out, header)


def _halved(name: str, value: Tensor, source: Path) -> Tensor:
    """Return a tensor in half precision, if that keeps its values."""
    if not value.is_floating_point():
        return value
    half = value.to(torch.float16)
    change = float((half.float() - value.float()).abs().max()) if value.numel() else 0.0
    if not change <= _LARGEST_CHANGE * float(value.abs().max()):
        raise UserError(f'{source}: {name} does not survive half precision (change {change:.3g}).')
    return half
