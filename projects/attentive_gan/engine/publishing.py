"""From a training's checkpoint to a small file that anyone can load without running code from it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from attentive_gan.errors import UserError
from attentive_gan.host import read_checkpoint

#: Part of a checkpoint's names that belongs to the network which restores.
_PREFIX = 'generator.'

#: Largest change that half precision may make to a weight, as a share of the largest weight of its tensor.
_LARGEST_CHANGE = 1e-3


def publish_generator(checkpoint: Path, out: Path, meta: dict[str, str] | None = None) -> str:
    """Write the generator of a checkpoint as half-precision safetensors.

    Where an `EMAHook` averaged the weights, the checkpoint's are the average.

    Args:
        checkpoint: A `.pth` file of a training.
        out: `.safetensors` file to write.
        meta: What else to record in the file's header.

    Returns:
        SHA-256 of the written file, in hexadecimal.

    Raises:
        UserError: The checkpoint cannot be read, holds no generator, or its weights do not survive half
            precision; or the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    stored = read_checkpoint(checkpoint)
    state = {
        name.removeprefix(_PREFIX): value
        for name, value in stored['state_dict'].items()
        if name.startswith(_PREFIX)
    }
    if not state:
        raise UserError(f'{checkpoint} holds no weights of a generator ({_PREFIX}*).')
    halved = {name: _halved(name, value, checkpoint) for name, value in state.items()}
    header = {'iterations': str(stored.get('meta', {}).get('iter', 'unknown')), **(meta or {})}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        save_file(halved, out, metadata=header)
    except (OSError, SafetensorError) as error:
        raise UserError(f'{out} cannot be written: {error}') from error
    return hashlib.sha256(out.read_bytes()).hexdigest()


def _halved(name: str, value: torch.Tensor, source: Path) -> torch.Tensor:
    """Return a tensor in half precision, if that keeps its values."""
    if not value.is_floating_point():
        return value.contiguous()
    half = value.half().contiguous()
    change = float((half.float() - value.float()).abs().max()) if value.numel() else 0.0
    if not change <= _LARGEST_CHANGE * float(value.abs().max()):
        raise UserError(f'{source}: {name} does not survive half precision (change {change:.3g}).')
    return half
