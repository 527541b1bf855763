"""Published weights files: read after a check of their content, written as weights of this project."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_state_dict, write_checkpoint, write_safetensors


def git_blob_id(path: Path) -> str:
    """Return Git's name of a file's content, as `git hash-object FILE`."""
    content = path.read_bytes()
    header = f'blob {len(content)}\0'.encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def read_published_file(
    path: Path, known: Mapping[str, str], download: str, allow_unknown: bool = False
) -> tuple[Mapping[str, Tensor], str]:
    """Read a bare state dict, in PyTorch's old or new format, without running code from the file.

    Args:
        path: File to read.
        known: Names of the authors' files by Git's name of their content.
        download: Where to find the authors' file, for messages.
        allow_unknown: Whether to accept files of other content.

    Returns:
        Tensors by their published names, on the CPU, and Git's name of the content.

    Raises:
        UserError: The file is missing, unknown while `allow_unknown` is off, cannot be read, or does not
            hold tensors by name.
    """
    if not path.is_file():
        raise UserError(f'{path} does not exist; download {download} and give its path')
    found = git_blob_id(path)
    if found not in known and not allow_unknown:
        blobs = ', '.join(f'{blob} ({name})' for blob, name in known.items())
        raise UserError(
            f"{path} is not the authors' {download}: its git blob id is {found}, expected {blobs}; "
            'download it again, or add --allow-unknown to convert this file'
        )
    return read_state_dict(path), found


def write_generator(state: Mapping[str, Tensor], meta: Mapping[str, str], out: Path) -> None:
    """Write a converted generator.

    Args:
        state: State dict of the generator.
        meta: Source and colour order.
        out: `.safetensors` for the weights alone, else a checkpoint of an editor with a `generator`.

    Raises:
        UserError: The file cannot be written.
    """
    if out.suffix == '.safetensors':
        write_safetensors(state, out, meta)
    else:
        named = {f'generator.{name}': tensor for name, tensor in state.items()}
        write_checkpoint({'state_dict': named, 'meta': dict(meta)}, out)
