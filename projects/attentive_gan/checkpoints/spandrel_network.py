"""Networks of other projects, recognised by the names and shapes of their weights (package spandrel).

The file is read by `read_state_dict`, so nothing in it is run; spandrel gets the tensors alone.
"""

from __future__ import annotations

import importlib.util
import inspect
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_state_dict
from attentive_gan.utils.strict_json import one_line

from .building_limit import TooManyPartsError, limited_parts

_OWN_CONFIG = 'name the config of these weights too (--config)'

#: Most attributes around a network whose names stand before those of all weights, such as `net.`.
_MOST_PREFIXES = 3


class SpandrelNetwork(nn.Module):
    """A network that spandrel built, with padding and range of spandrel's own call.

    Args:
        descriptor: spandrel's `ImageModelDescriptor`.
        note: Message for the user about its file; empty for none.

    Attributes:
        size_multiple: 1 if the network takes any size as it is; None if `forward` pads.
        smallest: Smallest side that is taken.
        architecture: Name of the network.
        inexact_tiles: Whether an image that does not fit the memory may be divided although the network
            takes it as a whole.
        has_bfloat16: Whether it can compute in bfloat16.
        has_float16: Whether it can compute in float16.
    """

    inexact_tiles = True
    smallest = 1

    def __init__(self, descriptor: Any, note: str = '') -> None:
        super().__init__()
        self.note = note
        self.network: nn.Module = descriptor.model
        self._descriptor = descriptor
        # Without the decorator: tensors of the inference mode cannot be recorded.
        self._call = inspect.unwrap(type(descriptor).__call__)
        self.size_multiple = 1 if descriptor.size_requirements.none else None
        self.architecture: str = descriptor.architecture.name
        self.has_bfloat16: bool = descriptor.supports_bfloat16
        self.has_float16: bool = descriptor.supports_half

    def forward(self, rainy: Tensor) -> Tensor:
        """Return images (N, 3, H, W) from images, both RGB and 0 to 1."""
        restored: Tensor = self._call(self._descriptor, rainy)
        return restored


def build_by_spandrel(path: Path) -> SpandrelNetwork:
    """Build the network that the weights of a file belong to.

    Args:
        path: Weights (.pth, .safetensors and the like) without a description.

    Returns:
        The network in evaluation mode, float32, on the CPU.

    Raises:
        UserError: spandrel is missing, knows no such network, or one for another task; or the file cannot
            be read, or holds several networks or sets of weights.
    """
    state = read_state_dict(path)
    _check_sizes(state, path)
    if importlib.util.find_spec('spandrel') is None:
        raise UserError(
            f'{path} does not describe its network; {_OWN_CONFIG}, or run: pip install spandrel, '
            'which recognises the networks of many projects'
        )
    descriptor, note = _loaded(state, path)
    _check_task(descriptor, path)
    return SpandrelNetwork(descriptor, note).float().eval()


def _check_sizes(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse tensors without values, and those with more than are stored: networks follow from shapes."""
    for name, tensor in state.items():
        stored = tensor.untyped_storage().nbytes()
        if not tensor.numel() or tensor.numel() * tensor.element_size() > stored:
            raise UserError(
                f'{path}: {name} has the shape {tuple(tensor.shape)} and {stored} stored bytes; '
                'such weights are refused'
            )


def _loaded(state: Mapping[str, Tensor], path: Path) -> tuple[Any, str]:
    """Return spandrel's descriptor of the network, and a note of weights that were ignored."""
    from spandrel import ModelLoader

    found = _recognised(state)
    _check_one(found, path)
    if not found:
        raise UserError(
            f'{path}: neither attentive_gan nor spandrel recognises the network of these weights '
            f'({len(state)} tensors, the first is {next(iter(state))}); {_OWN_CONFIG}'
        )
    ((prefix, (architecture, known)),) = found.items()
    try:
        with (
            limited_parts(len(known), sum(tensor.numel() for tensor in known.values())),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter('ignore')  # of PyTorch about the code of the networks
            descriptor = ModelLoader(torch.device('cpu')).load_from_state_dict(known)
    except TooManyPartsError as error:
        raise UserError(
            f'{path}: its network {architecture} would have {error}, which is refused'
        ) from error
    except Exception as error:  # the code of forty networks may raise anything
        raise UserError(
            f'{path} looks like {architecture} and does not fit it: {one_line(error)[:300]}'
        ) from error
    return descriptor, _note_of_rest(state, prefix, path)


def _recognised(
    state: Mapping[str, Tensor], inside: str = '', depth: int = _MOST_PREFIXES
) -> dict[str, tuple[str, dict[str, Tensor]]]:
    """Return the networks in a file, by the name of what held them, such as `net.`.

    Returns:
        For each the name of its architecture and its weights, by names without what held it.
    """
    from spandrel import MAIN_REGISTRY, canonicalize_state_dict

    plain = canonicalize_state_dict(dict(state))
    for known in MAIN_REGISTRY.architectures('detection'):
        if known.detect(plain):
            return {inside: (known.architecture.name, plain)}
    found: dict[str, tuple[str, dict[str, Tensor]]] = {}
    if depth:
        for outer, part in _parts(state).items():
            found |= _recognised(part, f'{inside}{outer}.', depth - 1)
    return found


def _parts(state: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return the weights by the first part of their names, by the rest; without names of one part."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        outer, dot, inner = name.partition('.')
        if dot:
            parts.setdefault(outer, {})[inner] = tensor
    return parts


def _check_one(prefixes: Collection[str], path: Path) -> None:
    """Refuse a file of several networks, such as a network and its average."""
    if len(prefixes) < 2:
        return
    prefix, source = next(iter(prefixes)), str(path)
    raise UserError(
        f'{path} holds several networks: {", ".join(name[:-1] for name in prefixes)}; keep the right one, '
        'such as: python -c "import torch; from attentive_gan.utils.checkpoint_io import read_state_dict; '
        f'torch.save({{k: v for k, v in read_state_dict({source!r}).items() if k.startswith({prefix!r})}}, '
        "'one.pth')\""
    )


def _note_of_rest(state: Mapping[str, Tensor], prefix: str, path: Path) -> str:
    """Return a note that names the weights outside the network; empty if there are none."""
    rest = [name for name in state if not name.startswith(prefix)]
    if not rest:
        return ''
    more = f' and {len(rest) - 3} more' if len(rest) > 3 else ''
    return f'{path}: {prefix[:-1]} is taken as the network; ignored are {", ".join(rest[:3])}{more}'


def _check_task(descriptor: Any, path: Path) -> None:
    """Refuse networks that do not return an image of the same size for an RGB image.

    Raises:
        UserError: The network has another task.
    """
    from spandrel import ImageModelDescriptor

    name = descriptor.architecture.name
    if not isinstance(descriptor, ImageModelDescriptor):
        other = 'needs a mask beside the image'
    elif descriptor.purpose == 'FaceSR':
        other = 'is for faces'
    elif descriptor.scale != 1:
        other = f'returns images {descriptor.scale} times as large'
    elif (descriptor.input_channels, descriptor.output_channels) != (3, 3):
        other = f'maps {descriptor.input_channels} channels to {descriptor.output_channels}'
    else:
        return
    raise UserError(
        f'{path} holds {name}, which {other}; expected a network from RGB images to RGB images of the '
        'same size'
    )
