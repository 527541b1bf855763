"""Loads weights into a model and accepts no doubt about which."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from attentive_gan.compat.distributed import unwrapped_state_dict
from attentive_gan.errors import UserError

#: Key parts that distributed wrappers of MMEngine leave in checkpoints: `module.*`, `generator.module.*`.
_OUTER_WRAPPER = re.compile(r'^module\.')
_CHILD_WRAPPER = re.compile(r'^(\w+)\.module\.')

#: Names of `EigenNet`'s layers up to version 0.1.0, and now.
_OLD_LAYER = re.compile(r'\b(see|mix|draw)(?=\.(?:weight|bias)$)')
_NEW_LAYER = {'see': 'conv1', 'mix': 'conv2', 'draw': 'conv3'}

#: What the names of an editor's own average of its generator begin with (`ForeachEMA`).
_AVERAGE = 'generator_ema.'


def _own_name(key: str, own: Mapping[str, Any]) -> str:
    """Return a weight's name in the model.

    That is its name, or that without what a wrapper added, or, in a file of a bare generator, that
    with the name of the editor's child; names of version 0.1.0 are replaced by those of today.
    """
    current = _OLD_LAYER.sub(lambda match: _NEW_LAYER[match[1]], key)
    for spelling in dict.fromkeys((key, current)):
        inner = _OUTER_WRAPPER.sub('', spelling)
        names = (spelling, inner, _CHILD_WRAPPER.sub(r'\1.', inner), f'generator.{spelling}')
        for name in names:
            if name in own:
                return name
    return key


def _summary(names: Sequence[str]) -> str:
    """Name a few of many weights."""
    shown = ', '.join(names[:3])
    return f'{shown} and {len(names) - 3} more' if len(names) > 3 else shown


def _differences(own: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Say in what way weights do not fit a model's own."""
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own]
    reshaped = [
        f'{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}'
        for key in own
        if key in state
        and isinstance(own[key], torch.Tensor)
        and state[key].shape != own[key].shape
    ]
    named = {'missing': missing, 'unexpected': unexpected, 'of another shape': reshaped}
    return [f'{len(names)} {kind} ({_summary(names)})' for kind, names in named.items() if names]


def matching_state(
    own: Mapping[str, Any], state_dict: Mapping[str, torch.Tensor], source: str
) -> dict[str, torch.Tensor]:
    """Give weights the names that they have in a model; every one must be there and have its place.

    Args:
        own: The model's own weights by name.
        state_dict: Weights by name; parts of names that distributed wrappers add are ignored.
        source: File name for messages.

    Raises:
        UserError: Weights are missing, unexpected, or of another shape.
    """
    state = {_own_name(key, own): value for key, value in state_dict.items()}
    differences = _differences(own, state)
    if differences:
        raise UserError(
            f'the weights in {source} do not fit the model of this config: {"; ".join(differences)}; '
            'use the config that they were trained with'
        )
    return state


def _with_average(
    state: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return weights with an average, that of one generator, where a model has one and they have none."""
    if f'{_AVERAGE}steps' not in own or any(key.startswith(_AVERAGE) for key in state):
        return dict(state)
    named = {_own_name(key, own): value for key, value in state.items()}
    average = {
        name.replace('generator.', f'{_AVERAGE}module.', 1): value
        for name, value in named.items()
        if name.startswith('generator.')
    }
    return {**state, **average, f'{_AVERAGE}steps': torch.zeros_like(own[f'{_AVERAGE}steps'])}


def fitting_state(
    model: nn.Module,
    state_dict: Mapping[str, torch.Tensor],
    source: str,
    may_be_absent: Sequence[str] = (),
    revise_keys: Sequence[tuple[str, str]] = (),
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Give weights the names that they have in a model; like `matching_state`, with exceptions.

    Published weights are those of the generator alone. A model that keeps an average of it gets them as
    its average too, which starts anew.

    Args:
        model: Model without an outer distributed wrapper; its children may have one.
        state_dict: Weights by name; parts of names that distributed wrappers add are ignored.
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
    state = _with_average(state, own)
    present = {_own_name(key, own).split('.')[0] for key in state}
    absent = [name for name in may_be_absent if hasattr(model, name) and name not in present]
    left = {key: value for key, value in own.items() if key.split('.')[0] in absent}
    state = matching_state(own, {**state, **left}, source)
    return state, [name for name in absent if any(key.startswith(f'{name}.') for key in own)]


def load_weights(
    model: nn.Module,
    state_dict: Mapping[str, torch.Tensor],
    source: str,
    may_be_absent: Sequence[str] = (),
    revise_keys: Sequence[tuple[str, str]] = (),
) -> list[str]:
    """Load weights; every one must be there and have its place (see `fitting_state`).

    Returns:
        The children that were absent.

    Raises:
        UserError: Weights are missing, unexpected, or of another shape.
    """
    from mmengine.runner.checkpoint import (
        load_state_dict,  # slow, and needed for whole models alone
    )

    state, absent = fitting_state(model, state_dict, source, may_be_absent, revise_keys)
    load_state_dict(model, state, strict=True)
    return absent
