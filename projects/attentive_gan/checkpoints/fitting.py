"""Loads weights into a model; names and shapes must fit exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from attentive_gan.compat.distributed import unwrapped_state_dict
from attentive_gan.errors import UserError

#: Key parts that MMEngine's distributed wrappers add: `module.*`, `generator.module.*`.
_OUTER_WRAPPER = re.compile(r'^module\.')
_CHILD_WRAPPER = re.compile(r'^(\w+)\.module\.')

#: Names of `EigenNet`'s layers up to version 0.1.0, and now.
_OLD_LAYER = re.compile(r'\b(see|mix|draw)(?=\.(?:weight|bias)$)')
_NEW_LAYER = {'see': 'conv1', 'mix': 'conv2', 'draw': 'conv3'}

#: Says of the name of a network that it is an average.
_EMA_WORD = re.compile(r'(?:^|[._])ema(?:[._]|$)', re.IGNORECASE)

#: Prefix of an editor's average of its generator (`ForeachEMA`).
_AVERAGE = 'generator_ema.'


def _own_name(key: str, own: Mapping[str, Any]) -> str:
    """Return a weight's name in the model.

    That is its name in the file, or the name without the parts of a wrapper, or, for a file of a bare
    generator, the name with the prefix of the editor's child; names of version 0.1.0 become current.
    """
    current = _OLD_LAYER.sub(lambda match: _NEW_LAYER[match[1]], key)
    for spelling in dict.fromkeys((key, current)):
        inner = _OUTER_WRAPPER.sub('', spelling)
        names = (spelling, inner, _CHILD_WRAPPER.sub(r'\1.', inner), f'generator.{spelling}')
        for name in names:
            if name in own:
                return name
    return key


def _without_prefix(
    state: Mapping[str, Tensor], own: Mapping[str, Any], source: str
) -> Mapping[str, Tensor]:
    """Remove the name of the attribute that held the network in its training, such as `net.`.

    Only where no name is the model's own, and all names fit without. Of a network and its average
    (`net.`, `net_ema.`), the average is taken.

    Raises:
        UserError: Several parts of the file fit the model.
    """
    if any(_own_name(key, own) in own for key in state):
        return state
    generator = {key.removeprefix('generator.') for key in own if key.startswith('generator.')}
    by_prefix: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        parts = key.split('.')
        for count in range(1, min(len(parts), 4)):
            prefix, name = '.'.join(parts[:count]), '.'.join(parts[count:])
            by_prefix.setdefault(prefix, {})[name] = value
    fitting = {p: part for p, part in by_prefix.items() if set(part) in (set(own), generator)}
    if not fitting or sum(map(len, fitting.values())) != len(state):
        return state
    averages = [prefix for prefix in fitting if _EMA_WORD.search(prefix)]
    chosen = averages if len(averages) == 1 else list(fitting)
    if len(chosen) > 1:
        raise UserError(
            f'{source} holds several networks that fit the model of this config: {", ".join(fitting)}; '
            'keep the weights of one'
        )
    return fitting[chosen[0]]


def _differences(own: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Describe the differences between a model's own weights and others, by kind."""
    reshaped = [
        f'{key} {tuple(state[key].shape)} instead of {tuple(value.shape)}'
        for key, value in own.items()
        if key in state and isinstance(value, Tensor) and state[key].shape != value.shape
    ]
    kinds = {
        'missing': [key for key in own if key not in state],
        'unexpected': [key for key in state if key not in own],
        'of another shape': reshaped,
    }
    return [
        f'{len(names)} {kind} ({", ".join(names[:3])}'
        + (f' and {len(names) - 3} more)' if len(names) > 3 else ')')
        for kind, names in kinds.items()
        if names
    ]


def matching_state(
    own: Mapping[str, Any], state_dict: Mapping[str, Tensor], source: str
) -> dict[str, Tensor]:
    """Rename weights to their names in a model, all of which must be there.

    Args:
        own: The model's own weights by name.
        state_dict: Weights by name; parts of names that wrappers added are ignored.
        source: File name for messages.

    Raises:
        UserError: Weights are missing, unexpected, or of another shape.

    Example:
        >>> own = nn.Linear(2, 1).state_dict()
        >>> list(matching_state(own, {f'module.{key}': value for key, value in own.items()}, 'x.pth'))
        ['weight', 'bias']
    """
    plain = _without_prefix(state_dict, own, source)
    state = {_own_name(key, own): value for key, value in plain.items()}
    differences = _differences(own, state)
    if differences:
        raise UserError(
            f'the weights in {source} do not fit the model of this config: {"; ".join(differences)}; '
            'use the config that they were trained with'
        )
    return state


def _with_average(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Add the generator as its own average, where the model has an average and the weights have none."""
    steps = f'{_AVERAGE}steps'
    if steps not in own or any(key.startswith(_AVERAGE) for key in state):
        return dict(state)
    named = {_own_name(key, own): value for key, value in state.items()}
    average = {
        name.replace('generator.', f'{_AVERAGE}module.', 1): value
        for name, value in named.items()
        if name.startswith('generator.')
    }
    return {**state, **average, steps: torch.zeros_like(own[steps])}


def fitting_state(
    model: nn.Module,
    state_dict: Mapping[str, Tensor],
    source: str,
    may_be_absent: Sequence[str] = (),
    revise_keys: Sequence[tuple[str, str]] = (),
) -> tuple[dict[str, Tensor], list[str]]:
    """Rename weights to their names in a model, like `matching_state`, with exceptions.

    Published weights are those of the generator alone: children such as a discriminator may be absent,
    and a model with an average of its generator gets them as its average, too, with 0 steps.

    Args:
        model: Model without an outer distributed wrapper; its children may have one.
        state_dict: Weights by name; parts of names that wrappers added are ignored.
        source: File name for messages.
        may_be_absent: Children of the model that may be absent as a whole.
        revise_keys: Regular expressions and replacements for the names.

    Returns:
        All weights of the model, and the children that were absent, whose weights are the model's own.

    Raises:
        UserError: Weights are missing, unexpected, or of another shape.
    """
    state = dict(state_dict)
    for pattern, replacement in revise_keys:
        state = {re.sub(pattern, replacement, key): value for key, value in state.items()}
    own = unwrapped_state_dict(model)
    state = _with_average(_without_prefix(state, own, source), own)
    present = {_own_name(key, own).split('.')[0] for key in state}
    absent = [name for name in may_be_absent if hasattr(model, name) and name not in present]
    kept = {key: value for key, value in own.items() if key.split('.')[0] in absent}
    state = matching_state(own, {**state, **kept}, source)
    return state, [name for name in absent if any(key.startswith(f'{name}.') for key in own)]


def load_weights(
    model: nn.Module,
    state_dict: Mapping[str, Tensor],
    source: str,
    may_be_absent: Sequence[str] = (),
    revise_keys: Sequence[tuple[str, str]] = (),
) -> list[str]:
    """Load weights into a model; arguments and errors as in `fitting_state`.

    Returns:
        The children that were absent.
    """
    from mmengine.runner.checkpoint import load_state_dict  # slow to import

    state, absent = fitting_state(model, state_dict, source, may_be_absent, revise_keys)
    load_state_dict(model, state, strict=True)
    return absent
