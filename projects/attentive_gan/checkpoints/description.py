"""Description of a network with its weights, which builds it without a config.

The description is JSON: under one key of the header of a .safetensors file, or in the `meta` of a
checkpoint. It is not trusted: it names a registered network and gives it plain values, and can do nothing
else. MMEngine's `Registry.build` is not used, since it accepts any importable function as a `type` with
dots, such as `os.system`.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from mmagic.registry import MODELS
from torch import nn

import attentive_gan.models.networks  # noqa: F401  (registers the networks)
from attentive_gan.errors import UserError
from attentive_gan.utils.checkpoint_io import read_checkpoint, read_state_dict
from attentive_gan.utils.strict_json import one_line, parse_json
from attentive_gan.utils.text_files import refuse_text
from attentive_gan.utils.types import ChannelOrder

from .building_limit import TooManyPartsError, limited_parts
from .fitting import matching_state

#: Key of the description in the file's header.
HEADER_KEY = 'attentive_gan'

#: Prefixes of the network that restores: the average of an editor that keeps one, else the generator.
GENERATOR_PREFIXES = ('generator_ema.module.', 'generator.')

#: Allowed texts: no path, address or dotted name can be written with them.
_PLAIN_TEXT = re.compile(r'[A-Za-z0-9_-]{0,64}')

#: Largest allowed number; no network has so many channels.
_LARGEST = 65536

#: Most entries of a list or of a network's config, and characters of a text.
_MOST_ENTRIES, _MOST_CHARACTERS = 64, 400

#: Networks of MMagic that may be built; other classes of it fetch or read files when they are built.
_MMAGIC_NETWORKS = frozenset(['NAFNet', 'NAFNetLocal', 'Restormer', 'SwinIRNet'])

#: Fields with the number of passes through the same weights, and the largest one.
_REPEATED, _MOST_STEPS = frozenset(['num_steps', 'num_stages']), 64

#: Fields of a network's config that make MMEngine load files or look names up elsewhere.
_REFUSED_FIELDS = frozenset(['init_cfg', 'pretrained'])


class UnknownNetworkError(UserError):
    """A description names a network that is not registered."""


@dataclass(frozen=True)
class WeightsDescription:
    """Description of the weights of one network.

    Attributes:
        name: Name of the weights, such as the stem of their config.
        task: Editor that trained them, such as `AttentiveGAN`.
        generator: Config of the network: `type`, a name registered in MODELS, and the class's arguments.
        channel_order: Colour order of its images; values are 0 to 1.
        config_sha256: SHA-256 of the text of the complete config, hexadecimal; empty if unknown.
        trained_on: Training data, in words.
        iterations: Iterations of the training.
    """

    name: str
    task: str
    generator: Mapping[str, Any]
    channel_order: ChannelOrder
    config_sha256: str
    trained_on: str
    iterations: str = 'unknown'

    def to_json(self) -> str:
        """Return the description as JSON, equal for equal descriptions."""
        return json.dumps(asdict(self), sort_keys=True)


def read_description(path: Path) -> WeightsDescription | None:
    """Read the description in a weights file.

    Args:
        path: A .safetensors file or a checkpoint.

    Returns:
        The checked description; None if there is none.

    Raises:
        UserError: The file is missing, damaged or a text file, or describes something else than a
            registered network with plain values; an UnknownNetworkError if the network is not registered.
    """
    if not path.is_file():
        raise UserError(f'weights not found: {path}')
    if path.suffix != '.safetensors':
        return _of_checkpoint(path)
    refuse_text(path)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, 'pt') as file:
            text = (file.metadata() or {}).get(HEADER_KEY)
    except SafetensorError as error:
        raise UserError(
            f'weights file {path} is damaged: {error}; fetch or make it again'
        ) from error
    return None if text is None else parse_description(text, str(path))


def _of_checkpoint(path: Path) -> WeightsDescription | None:
    """Return the description that a training stored in a checkpoint, None if it is another file."""
    meta = read_checkpoint(path).get('meta')
    text = meta.get('description') if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or not isinstance(text, str):
        return None
    return replace(parse_description(text, str(path)), iterations=str(meta.get('iter', 'unknown')))


def parse_description(text: str, source: str) -> WeightsDescription:
    """Parse and check a description.

    Args:
        text: JSON.
        source: Name of its file, for messages.

    Raises:
        UserError: It is not a complete description, or has values that are not allowed.
    """
    try:
        values = parse_json(text)
    except ValueError as error:
        reason = one_line(error)
        raise UserError(f'{source}: its description is no JSON ({reason}); use --config') from error
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
        description: Description in the file.
        path: The file.

    Returns:
        The network in evaluation mode, float32, on the CPU.

    Raises:
        UserError: The description does not fit the network's class, or the weights do not fit the network.
    """
    weights = _of_generator(read_state_dict(path))
    # First without memory: a description can need more than the file has, and more than there is.
    try:
        with torch.device('meta'), limited_parts(len(weights)):
            own = _instance(description, str(path)).state_dict()
    except TooManyPartsError as error:
        raise UserError(
            f'{path}: its description is of a network with {error}, which is refused; use --config'
        ) from error
    state = matching_state(own, weights, str(path))
    network = _instance(description, str(path))
    network.load_state_dict(state)
    return network.eval()


def _of_generator(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the weights of the network that restores; of a training's the average, if it has one."""
    for prefix in GENERATOR_PREFIXES:
        part = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        if part:
            return part
    return weights


def _instance(description: WeightsDescription, source: str) -> nn.Module:
    arguments = dict(description.generator)
    network = _class_of(arguments.pop('type'), source)
    try:
        return network(**arguments)
    except TooManyPartsError:
        raise
    except (
        Exception
    ) as error:  # a constructor may raise anything for values that it does not expect
        raise UserError(
            f'{source}: its description does not fit the network {network.__name__}: {one_line(error)}'
        ) from error


def _class_of(name: Any, source: str) -> type[nn.Module]:
    """Return a registered network; other names are not looked up."""
    found: Any = MODELS.module_dict.get(name) if isinstance(name, str) else None
    if not (inspect.isclass(found) and issubclass(found, nn.Module) and _may_be_built(found)):
        raise UnknownNetworkError(
            f'{source}: its description names {name!r}, which is no network registered here; '
            'if it is your own, import its package first, or use --config'
        )
    return found


def _may_be_built(found: type[nn.Module]) -> bool:
    """Return whether a registered class is a restoration network of this project, MMagic or a user."""
    package = found.__module__.partition('.')[0]
    if package in ('mmagic', 'mmengine', 'mmcv'):
        return found.__name__ in _MMAGIC_NETWORKS
    return package != 'attentive_gan' or found.__module__.startswith(
        'attentive_gan.models.networks.'
    )


def check_network(value: Any, source: str) -> None:
    """Check that a value is the config of a registered network with plain values.

    Args:
        value: Value to check.
        source: Name of its file, for messages.

    Raises:
        UserError: It is not.
    """
    if not isinstance(value, dict) or 'type' not in value:
        raise UserError(f'{source}: its description has no network with a type; use --config')
    _check_plain(value, source)


def _check_plain(value: Any, source: str) -> None:
    """Refuse values that could be more than settings of a network, at any depth."""
    refused = None
    if isinstance(value, (dict, list)) and len(value) > _MOST_ENTRIES:
        refused = f'{len(value)} values in a row'
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.startswith('_') or key in _REFUSED_FIELDS or not _PLAIN_TEXT.fullmatch(key):
                refused = f'the field {key!r}'
                break
            if key in _REPEATED and isinstance(item, (int, float)) and item > _MOST_STEPS:
                refused = f'{key} {item}, more than {_MOST_STEPS}'
                break
            (_class_of if key == 'type' else _check_plain)(item, source)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, source)
    elif not _is_plain_value(value):
        refused = f'the value {value!r:.80}'
    if refused:
        raise UserError(f'{source}: its description has {refused}, which is refused')


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= _MOST_CHARACTERS


def _is_plain_value(value: Any) -> bool:
    if isinstance(value, (int, float)):
        return math.isfinite(value) and abs(value) <= _LARGEST
    return value is None or (isinstance(value, str) and bool(_PLAIN_TEXT.fullmatch(value)))
