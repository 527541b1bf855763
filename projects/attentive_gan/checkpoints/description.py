"""What a .safetensors file says of itself, so that its network can be built without a config.

The description is JSON under one key of the file's header. It may come from strangers: it names a
registered network and gives it plain values, and can do nothing else. MMEngine's `Registry.build` is not
asked, because it takes any importable function for a `type` with dots, such as `os.system`.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import torch
from mmagic.registry import MODELS
from torch import Tensor, nn

import attentive_gan.models.networks  # noqa: F401  (registers the networks)
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_checkpoint

from .fitting import matching_state

#: Key of the description in the file's header.
HEADER_KEY = 'attentive_gan'

#: What the description may hold: no path, no address and no dotted name can be written with it.
_PLAIN_TEXT = re.compile(r'[A-Za-z0-9_-]{0,64}')

#: Largest number that may describe a network; nothing has so many channels.
_LARGEST = 65536

#: Most entries of a list or of a network's config, and characters of a text.
_MOST_ENTRIES, _MOST_CHARACTERS = 64, 400

#: Networks of MMagic that may be built; others of its classes fetch or read files when they are built.
_MMAGIC_NETWORKS = frozenset(['NAFNet', 'NAFNetLocal', 'Restormer', 'SwinIRNet'])

#: Fields of a network's config that make MMEngine load files or look names up elsewhere.
_REFUSED_FIELDS = frozenset(['init_cfg', 'pretrained'])


class UnknownNetworkError(UserError):
    """A description names a network that is not registered."""


@dataclass(frozen=True)
class WeightsDescription:
    """Description of the weights of one network."""

    name: str
    """Name of the weights, such as the stem of their config."""
    task: str
    """Editor that trained them, such as `AttentiveGAN`."""
    generator: Mapping[str, Any]
    """Config of the network: `type`, a name registered in MODELS, and the arguments of its class."""
    channel_order: Literal['rgb', 'bgr']
    """Colour order that it works in; values are 0 to 1."""
    config_sha256: str
    """SHA-256 of the text of the complete config, hexadecimal; empty if unknown."""
    trained_on: str
    """What the network learned from, in words."""
    iterations: str = 'unknown'
    """Iterations of the training."""

    def to_json(self) -> str:
        """Return the description as JSON, equal for equal descriptions."""
        return json.dumps(asdict(self), sort_keys=True)


def read_description(path: Path) -> WeightsDescription | None:
    """Read what a weights file says of itself.

    Args:
        path: A .safetensors file, or another, which says nothing.

    Returns:
        The description, checked; None if there is none.

    Raises:
        UserError: The file is missing or damaged, or asks for something else than a registered network
            with plain values; an UnknownNetworkError, where the network is not registered.
    """
    if not path.is_file():
        raise UserError(f'weights not found: {path}')
    if path.suffix != '.safetensors':
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, 'pt') as file:
            text = (file.metadata() or {}).get(HEADER_KEY)
    except SafetensorError as error:
        raise UserError(
            f'weights file {path} is damaged: {error}; fetch or make it again'
        ) from error
    return None if text is None else parse_description(text, str(path))


def parse_description(text: str, source: str) -> WeightsDescription:
    """Read and check a description.

    Args:
        text: JSON.
        source: Name of its file, for messages.

    Raises:
        UserError: It is not a complete description, or asks for what it may not.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f'{source}: its description is no JSON ({error}); use --config') from error
    known = {field.name for field in fields(WeightsDescription)}
    if not isinstance(values, dict) or not known - {'iterations'} <= set(values):
        raise UserError(f'{source}: its description is incomplete; use --config')
    values = {name: value for name, value in values.items() if name in known}
    texts = {name: value for name, value in values.items() if name != 'generator'}
    if not all(_is_line(value) for value in texts.values()) or re.search(r'[/\\]', values['name']):
        raise UserError(f'{source}: its description is not made of plain texts; use --config')
    if values['channel_order'] not in ('rgb', 'bgr'):
        raise UserError(f'{source}: its channel_order is neither rgb nor bgr; use --config')
    check_network(values['generator'], source)
    return WeightsDescription(**values)


def build_described(description: WeightsDescription, path: Path) -> nn.Module:
    """Build the network that a weights file describes, and load the weights.

    Args:
        description: What the file says of itself.
        path: The file.

    Returns:
        The network in evaluation mode, float32, on the CPU.

    Raises:
        UserError: The description does not fit the network's class, or the weights do not fit the network.
    """
    contents = read_checkpoint(path)
    state: Mapping[str, Tensor] = contents['state_dict']
    # First without memory: a description can ask for more than the file has, and more than there is.
    with torch.device('meta'):
        own = _instance(description, str(path)).state_dict()
    state = matching_state(own, state, str(path))
    network = _instance(description, str(path))
    network.load_state_dict(state)
    return network.eval()


def _instance(description: WeightsDescription, source: str) -> nn.Module:
    arguments = dict(description.generator)
    network = _class_of(arguments.pop('type'), source)
    try:
        return network(**arguments)
    except (TypeError, ValueError, AttributeError, RuntimeError, AssertionError) as error:
        raise UserError(
            f'{source}: its description does not fit the network {network.__name__}: {error}'
        ) from error


def _class_of(name: Any, source: str) -> type[nn.Module]:
    """Return a registered network; no name is looked up anywhere else."""
    found: Any = MODELS.module_dict.get(name) if isinstance(name, str) else None
    if not (inspect.isclass(found) and issubclass(found, nn.Module) and _may_be_built(found)):
        raise UnknownNetworkError(
            f'{source}: its description names {name!r}, which is no network registered here; '
            'if it is your own, import its package first, or use --config'
        )
    return found


def _may_be_built(found: type[nn.Module]) -> bool:
    """Return whether a registered class is a network that restores, of this project, MMagic or a user."""
    package = found.__module__.partition('.')[0]
    if package in ('mmagic', 'mmengine', 'mmcv'):
        return found.__name__ in _MMAGIC_NETWORKS
    return package != 'attentive_gan' or found.__module__.startswith(
        'attentive_gan.models.networks.'
    )


def check_network(value: Any, source: str) -> None:
    """Refuse all but the config of a registered network with plain values.

    Args:
        value: What may be a network's config.
        source: Name of its file, for messages.

    Raises:
        UserError: It is something else.
    """
    if not isinstance(value, dict) or 'type' not in value:
        raise UserError(f'{source}: its description has no network with a type; use --config')
    _check_plain(value, source)


def _check_plain(value: Any, source: str) -> None:
    """Refuse values that could be more than settings of a network, at any depth."""
    if isinstance(value, (dict, list)) and len(value) > _MOST_ENTRIES:
        raise UserError(
            f'{source}: its description has {len(value)} values in a row, which is refused'
        )
    if isinstance(value, dict):
        for key, item in value.items():
            if key.startswith('_') or key in _REFUSED_FIELDS or not _PLAIN_TEXT.fullmatch(key):
                raise UserError(
                    f'{source}: its description has the field {key!r}, which is refused'
                )
            if key == 'type':
                _class_of(item, source)
            else:
                _check_plain(item, source)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, source)
    elif not _is_plain_value(value):
        raise UserError(f'{source}: its description has the value {value!r:.80}, which is refused')


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= _MOST_CHARACTERS


def _is_plain_value(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, (int, float)):
        return math.isfinite(value) and abs(value) <= _LARGEST
    return isinstance(value, str) and bool(_PLAIN_TEXT.fullmatch(value))
