"""Reading the authors' weights file, `gen.pkl`, without trusting it, and writing ours."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import write_checkpoint

#: Git's name for the content of the authors' `weights/gen.pkl` (rui1996/DeRaindrop).
OFFICIAL_BLOB = '94e77b352b84390f0de800e6071d0fd6eb5f0a6f'


def git_blob_id(path: Path) -> str:
    """Name that Git gives to a file's content; equal to `git hash-object FILE`.

    Args:
        path: File to name.
    """
    digest = hashlib.sha1(f'blob {path.stat().st_size}\0'.encode(), usedforsecurity=False)
    with path.open('rb') as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def read_published_file(path: Path, allow_unknown: bool = False) -> Mapping[str, Tensor]:
    """Read a bare state dict, in PyTorch's old or new format, without running code from the file.

    Args:
        path: The authors' `gen.pkl`.
        allow_unknown: Whether to go on with a file of other content than the authors'.

    Returns:
        Tensors by their published names, on the CPU.

    Raises:
        UserError: The file is missing, is not the authors' and `allow_unknown` is off, cannot be
            read, or holds something else than tensors by name.
    """
    if not path.is_file():
        raise UserError(
            f'{path} does not exist; download weights/gen.pkl from '
            'https://github.com/rui1996/DeRaindrop and give its path'
        )
    found = git_blob_id(path)
    if found != OFFICIAL_BLOB and not allow_unknown:
        raise UserError(
            f"{path} is not the authors' gen.pkl: its git blob id is {found}, expected "
            f'{OFFICIAL_BLOB}; download it again, or add --allow-unknown to convert this file'
        )
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [repr(error)])[0]
        raise UserError(f'{path} cannot be read as weights: {reason}') from error
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f'{path} holds no bare state dict (tensors by name)')
    return state


def write_generator(state: Mapping[str, Tensor], meta: Mapping[str, str], out: Path) -> None:
    """Write a converted generator.

    Args:
        state: State dict of `AttentiveGenerator`.
        meta: Where it comes from and its colour order.
        out: `.safetensors` for the bare generator, else a checkpoint of the editor that calls its
            generator `generator`.

    Raises:
        UserError: The file cannot be written.
    """
    if out.suffix != '.safetensors':
        named = {f'generator.{name}': tensor for name, tensor in state.items()}
        write_checkpoint({'state_dict': named, 'meta': dict(meta)}, out)
        return
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in state.items()}, out, metadata=dict(meta))
    except (OSError, SafetensorError) as error:
        raise UserError(f'{out} cannot be written: {error}') from error
