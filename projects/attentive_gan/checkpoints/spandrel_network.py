"""Networks of other projects, recognised by the names and shapes of their weights (package spandrel).

The file is read by `read_state_dict`, so nothing in it is run; spandrel gets the tensors alone.
"""

from __future__ import annotations

import importlib.util
import inspect
import warnings
from collections.abc import Mapping
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

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
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
            be read, or holds several sets of weights.
    """
    state = read_state_dict(path)
    _check_sizes(state, path)
    if importlib.util.find_spec('spandrel') is None:
        raise UserError(
            f'{path} does not describe its network; {_OWN_CONFIG}, or run: pip install spandrel, '
            'which recognises the networks of many projects'
        )
    descriptor = _loaded(state, path)
    _check_task(descriptor, path)
    return SpandrelNetwork(descriptor).float().eval()


def _check_sizes(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse tensors without values, and those with more than are stored: networks follow from shapes."""
    for name, tensor in state.items():
        stored = tensor.untyped_storage().nbytes()
        if not tensor.numel() or tensor.numel() * tensor.element_size() > stored:
            raise UserError(
                f'{path}: {name} has the shape {tuple(tensor.shape)} and {stored} stored bytes; '
                'such weights are refused'
            )


def _loaded(state: Mapping[str, Tensor], path: Path) -> Any:
    """Return spandrel's descriptor of the network."""
    from spandrel import ModelLoader

    architecture, known = _recognised(dict(state))
    if architecture is None:
        raise UserError(
            f'{path}: neither attentive_gan nor spandrel recognises the network of these weights '
            f'({len(state)} tensors, the first is {next(iter(state))}); {_OWN_CONFIG}'
        )
    try:
        with (
            limited_parts(len(known), sum(tensor.numel() for tensor in known.values())),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter('ignore')  # of PyTorch about the code of the networks
            return ModelLoader(torch.device('cpu')).load_from_state_dict(known)
    except TooManyPartsError as error:
        raise UserError(
            f'{path}: its network {architecture} would have {error}, which is refused'
        ) from error
    except Exception as error:  # the code of forty networks may raise anything
        raise UserError(
            f'{path} looks like {architecture} and does not fit it: {one_line(error)[:300]}'
        ) from error


def _recognised(state: dict[str, Tensor]) -> tuple[str | None, dict[str, Tensor]]:
    """Return the name of the network and its weights, without the name of what held it, such as `net.`."""
    from spandrel import MAIN_REGISTRY, canonicalize_state_dict

    for _ in range(_MOST_PREFIXES + 1):
        plain = canonicalize_state_dict(dict(state))
        for known in MAIN_REGISTRY.architectures('detection'):
            if known.detect(plain):
                return known.architecture.name, plain
        prefixes = {name.partition('.')[0] for name in state}
        if len(prefixes) != 1 or not all('.' in name for name in state):
            break
        state = {name.partition('.')[2]: tensor for name, tensor in state.items()}
    return None, state


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
