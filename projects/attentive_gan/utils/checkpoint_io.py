"""Reading and writing of checkpoints (.pth, the state of a training) and weights (.safetensors).

MMEngine 0.10.7 cannot read its own checkpoints on torch >= 2.6, whose `torch.load` refuses the pickled
helper objects in them. Loading with `weights_only=False` would run any code that the file holds. Here
the few harmless classes are allowed by name, and the one dangerous name, `builtins.getattr`, is bound
to a function that returns only the four methods that MMEngine stores.
"""

from __future__ import annotations

import hashlib
import importlib
import pickle
import re
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from attentive_gan.errors import UserError

from .atomic_io import atomic_write
from .checkpoint_wrappers import weights_of
from .strict_json import one_line
from .text_files import refuse_text

#: What unpickling, `zipfile` and torch raise for a file whose bytes are not those that were written.
_DAMAGE = (
    pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError,
    ValueError, TypeError, AttributeError, AssertionError, LookupError, ArithmeticError, OSError,
    ImportError, MemoryError,
)  # fmt: skip
#: Bit of a zip entry's attributes for a folder. torch takes uninitialised memory for the content of one,
#: `zipfile` reads the file.
_FOLDER = 0x10
#: Classes of the standard library that hold settings of a training, and run nothing when they are read.
_SETTINGS = ('argparse.Namespace', 'pathlib.PosixPath', 'types.SimpleNamespace')
_HISTORY_METHODS = ('mean', 'min', 'max', 'current')


def _history_method(owner: object, name: str) -> Any:
    """Replace `builtins.getattr` in a checkpoint; return statistics methods of MMEngine's HistoryBuffer."""
    if owner is HistoryBuffer and name in _HISTORY_METHODS:
        return getattr(HistoryBuffer, name)
    owned = getattr(owner, '__name__', type(owner).__name__)
    raise pickle.UnpicklingError(f'the checkpoint asks for {owned}.{name}')


def _harmless_globals() -> list[Any]:
    """List the classes that MMEngine's message hub pickles: history buffers and NumPy values."""
    # NumPy 2 moved the functions that its pickles name; both names occur in files.
    core = 'numpy._core' if int(np.__version__.split('.')[0]) >= 2 else 'numpy.core'
    multiarray: Any = importlib.import_module(f'{core}.multiarray')
    values: list[Any] = [
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        (_history_method, 'builtins.getattr'),
        OrderedDict,
    ]
    for prefix in ('numpy._core.multiarray', 'numpy.core.multiarray'):
        values += [
            (multiarray._reconstruct, f'{prefix}._reconstruct'),
            (multiarray.scalar, f'{prefix}.scalar'),
        ]
    values += [type(np.dtype(kind)) for kind in ('f8', 'f4', 'i8', 'i4', 'u1', 'b1')]
    return values


def read_checkpoint(path: str | Path, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a checkpoint (.pth of MMEngine or of this project, or .safetensors) without running code.

    Args:
        path: File to read.
        map_location: Device for the tensors, as in `torch.load`.

    Returns:
        The stored dictionary; for .safetensors a dictionary with the one key `state_dict`.

    Raises:
        UserError: The file is missing, damaged, a text file, asks for more than plain data, or holds no
            dictionary.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'checkpoint not found: {path}')
    refuse_text(path)
    if path.suffix == '.safetensors':
        return {'state_dict': _read_safetensors(path, map_location)}
    fault = verify_checkpoint(path)
    if fault:
        raise UserError(f'checkpoint {path} is damaged: {fault}; use another one')
    try:
        content: object = _load(path, map_location)
    except _DAMAGE as error:
        raise UserError(
            f'checkpoint {path} cannot be read as plain tensors and values ({_reason(error)}); files that '
            f'hold pickled code are refused, whoever made them{_way_out(error, path)}'
        ) from error
    if not isinstance(content, dict):
        raise UserError(f'{path} holds {_described(content)}, not the weights of a network')
    return content


def _described(content: object) -> str:
    """Return the kind of a value that is no dictionary, such as `a list (tensor, ...)`."""
    kind = _kind(content)
    if content is None:
        return kind
    inner = ''
    if isinstance(content, (list, tuple)):
        more = ', ...' if len(content) > 1 else ''
        inner = f' ({_kind(content[0])}{more})' if content else ' without entries'
    return f'{"an" if kind[0] in "aeiou" else "a"} {kind}{inner}'


def _kind(value: object) -> str:
    if value is None:
        return 'None'
    return 'tensor' if torch.is_tensor(value) else type(value).__name__


def _reason(error: BaseException) -> str:
    """Return why torch refused a file: the name that it asks for, or the message on one line.

    torch's own message advises to load without its check, which would run the code.
    """
    if name := _refused_name(error):
        return f'it asks for {name[:100]}'
    reason = ' '.join(re.split(r'WeightsUnpickler error:|Check the documentation', str(error))[1:2])
    if not reason and 'TorchScript' in str(error):
        return 'it is a TorchScript program'
    advises = 'weights_only' in (reason or str(error))
    return 'torch refuses it' if advises else one_line(ValueError(reason or error))[:200]


def _refused_name(error: BaseException) -> str:
    """Return the name of a class or function that a file asks for and must not have, else an empty text."""
    name = re.search(r'(?:GLOBAL|checkpoint asks for) ([\w.]+)', str(error))
    return name[1] if name and isinstance(error, pickle.UnpicklingError) else ''


def _way_out(error: BaseException, path: Path) -> str:
    """Return how the weights can be had without what was refused; a command where no code is run by it."""
    name = _refused_name(error)
    if name in _SETTINGS:
        modules = ', '.join(sorted({held.partition('.')[0] for held in _SETTINGS}))
        return (
            '; it holds settings beside the weights: if you trust the file, keep the weights alone, such '
            f'as: python -c "import {modules}, torch; '
            f'torch.serialization.add_safe_globals([{", ".join(_SETTINGS)}]); '
            f"torch.save(torch.load({str(path)!r}, weights_only=True)['state_dict'], 'one.pth')\""
        )
    if name:
        return (
            '; where the network was trained, save its weights alone: torch.save(network.state_dict(), '
            "'one.pth')"
        )
    return ''


def _load(path: Path, map_location: Any) -> Any:
    """Call `torch.load` with MMEngine's harmless classes allowed if torch supports that."""
    safe_globals = getattr(torch.serialization, 'safe_globals', None)
    with safe_globals(_harmless_globals()) if safe_globals else nullcontext():
        return torch.load(path, map_location=map_location, weights_only=True)


def _read_safetensors(path: Path, map_location: Any) -> dict[str, torch.Tensor]:
    """Read a .safetensors file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device=str(map_location or 'cpu'))
    except SafetensorError as error:
        raise UserError(
            f'weights file {path} is damaged: {error}; fetch or make it again'
        ) from error


def read_state_dict(path: str | Path, map_location: Any = 'cpu') -> dict[str, torch.Tensor]:
    """Read the weights of a checkpoint or of a weights file, whichever tool wrapped them.

    Args:
        path: File to read.
        map_location: Device for the tensors.

    Returns:
        Tensors by their names without what wrappers add; see `weights_of`.

    Raises:
        UserError: As in `read_checkpoint`, or the file holds something else than tensors by name, or
            several sets of weights.
    """
    return weights_of(read_checkpoint(path, map_location), path)


def write_safetensors(
    state: Mapping[str, torch.Tensor], path: Path, metadata: Mapping[str, str] | None = None
) -> str:
    """Write weights atomically as .safetensors.

    Args:
        state: Tensors by name.
        path: File to write; its folder is created if missing.
        metadata: Texts for the header of the file.

    Returns:
        SHA-256 of the file, hexadecimal; equal for equal contents if `metadata` has one entry at most.

    Raises:
        UserError: The file cannot be written.
    """
    from safetensors.torch import save

    content = save(
        {name: value.contiguous() for name, value in state.items()}, dict(metadata or {})
    )
    # The tensors may be views of the old file, so it is replaced after all are read.
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def verify_checkpoint(path: str | Path) -> str | None:
    """Return the damage of a file that `torch.load` does not notice, or None.

    torch stores a checksum with every tensor in the zip archive and does not check it on loading.

    Args:
        path: A checkpoint of `torch.save` in the zip format; the older format has no checksums.
    """
    path = Path(path)
    try:
        if path.stat().st_size == 0:
            return 'the file is empty'
        if not _is_zip(path):
            return None
        with zipfile.ZipFile(path) as archive:
            odd = [info.filename for info in archive.infolist() if info.external_attr & _FOLDER]
            if odd:
                return f'{odd[0]} is marked as a folder'
            member = archive.testzip()
    except _DAMAGE as error:
        return f'it is cut off or overwritten ({one_line(error)})'
    return f'the checksum of {member} does not match' if member else None


def resume_fault(path: str | Path) -> str | None:
    """Return why a training cannot go on from a file, or None.

    Unlike `verify_checkpoint`, this also reads the whole content, so that damage of the archive's own
    structure is found. A file that does not begin as a zip archive is damaged: `write_checkpoint`
    writes nothing else.

    Args:
        path: A file that `write_checkpoint` wrote, or what is left of it.
    """
    path = Path(path)
    fault = verify_checkpoint(path)
    if fault:
        return fault
    try:
        if not _is_zip(path):
            return 'it is cut off or overwritten (no zip archive)'
        content = _load(path, 'cpu')
    except _DAMAGE as error:
        return f'it cannot be read ({" ".join(str(error).split())[:200] or type(error).__name__})'
    return None if isinstance(content, dict) else 'it holds no dictionary'


def _is_zip(path: Path) -> bool:
    """Return whether a file begins or ends as a zip archive; damage may have left one of both."""
    with path.open('rb') as file:
        return file.read(2) == b'PK' or zipfile.is_zipfile(path)


def write_checkpoint(checkpoint: dict[str, Any], path: str | Path) -> None:
    """Write a checkpoint atomically.

    Args:
        checkpoint: Tensors and plain values.
        path: File to write; its folder is created if missing.

    Raises:
        UserError: The disk is full or the folder cannot be written; the old file is unchanged.
    """
    try:
        with atomic_write(Path(path)) as temporary, temporary.open('wb') as file:
            torch.save(checkpoint, file)
    except RuntimeError as error:  # a UserError of `atomic_write`, or torch's own
        if isinstance(error.__context__, KeyboardInterrupt):
            # torch cannot end the archive that it was writing, and reports that instead.
            raise error.__context__ from None
        raise UserError(
            f'checkpoint {path} could not be written ({_systems_reason(error)}); free space or choose '
            'another --work-dir; earlier checkpoints are untouched'
        ) from error


def _systems_reason(error: BaseException) -> str:
    """Return what the system said when it refused to write; torch reports the broken archive instead."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__cause__ or found.__context__
    return one_line(error)
