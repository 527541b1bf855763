"""Finds the weights in a checkpoint, whichever tool wrapped them.

| written by | looks like |
| --- | --- |
| BasicSR, and NAFNet, Restormer and others based on it | `params`, `params_ema` around the weights |
| MMEngine, Lightning, timm | `state_dict`, `state_dict_ema` |
| many training scripts | `model`, `net`, `model_state_dict`, ... |
| DataParallel, DistributedDataParallel, DeepSpeed | `module.` before every name |
| `torch.compile`, FSDP, activation checkpointing | `_orig_mod.` and the like within names |
| averages of weights | a step counter beside names that begin with `module.` |
| thop, a counter of operations | `total_ops`, `total_params` in every layer |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from attentive_gan.errors import UserError

#: Names around averaged weights; these are preferred.
AVERAGES = (
    'params_ema',
    'state_dict_ema',
    'model_ema',
    'net_g_ema',
    'netG_ema',
    'ema_model',
    'ema',
)
#: Names around weights of the network that restores.
WRAPPERS = (
    'state_dict', 'params', 'model', 'net', 'network', 'generator', 'module', 'weights', 'net_g', 'netG',
    'model_state_dict', 'model_state', 'net_state_dict', 'network_state_dict', 'generator_state_dict', 'G',
)  # fmt: skip
#: Beginnings of names around other things than weights of a network.
_OTHER = (
    'optim',
    'sched',
    'lr_sched',
    'random',
    'rng',
    'message_hub',
    'meta',
    'scaler',
    'amp',
    'loops',
)
#: Parts of names that PyTorch's wrappers add anywhere.
_NAME_PARTS = (
    '_orig_mod.',
    '_fsdp_wrapped_module.',
    '_checkpoint_wrapped_module.',
    '_forward_module.',
)
#: Counters that averages keep beside the names that begin with `module.`.
_COUNTERS = {'n_averaged', 'steps', 'step', 'num_updates', 'initted', 'decay'}
#: What thop leaves in every layer.
_THOP = {'total_ops', 'total_params'}
#: Deepest wrapper in a wrapper.
_DEPTH = 3


def weights_of(content: Any, source: object) -> dict[str, Tensor]:
    """Return the weights in a checkpoint, by names without what wrappers added.

    Averages are preferred to the weights that they average, other choices are refused. Checkpoints of
    MMEngine (with a `meta`) keep the average, where there is one, in `state_dict`.

    Args:
        content: What `read_checkpoint` returns.
        source: The file, for messages.

    Raises:
        UserError: There are no weights, or several sets of weights between which a choice is needed.

    Example:
        >>> weight = torch.ones(2)
        >>> list(weights_of({'params': {'module.conv.weight': weight}, 'iter': 5}, 'x.pth'))
        ['conv.weight']
    """
    state = _find(content, source, '', _DEPTH)
    if not state:
        found = f', only {", ".join(map(str, list(content)[:5]))}' if _named(content) else ''
        raise UserError(f'{source} holds no state dict (tensors by name){found}')
    return _plain_names(state, source)


def _named(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(k, str) for k in value)


def _find(content: Any, source: object, inside: str, depth: int) -> dict[str, Tensor]:
    """Return the tensors by name at the first level that has them; empty if there are none."""
    if not _named(content) or depth < 0:
        return {}
    tensors = {name: value for name, value in content.items() if torch.is_tensor(value)}
    if len(tensors) == len(content):
        return tensors
    wrapped = {
        name: found
        for name, value in content.items()
        if not name.startswith(_OTHER)
        and (found := _find(value, source, f'{inside}{name}.', depth - 1))
    }
    if not wrapped:
        plain = (str, int, float, type(None), torch.Tensor)
        return tensors if all(isinstance(value, plain) for value in content.values()) else {}
    if {'meta', 'state_dict'} <= set(content) and 'state_dict' in wrapped:
        return wrapped['state_dict']
    beside = {name: value for name, value in tensors.items() if value.numel() > 1}
    if beside:
        wrapped[''] = beside
    return _choose(wrapped, source, inside)


def _choose(
    wrapped: dict[str, dict[str, Tensor]], source: object, inside: str
) -> dict[str, Tensor]:
    """Return the average, else the network that restores, else the only one there is."""
    averages, known = ([n for n in names if n in wrapped] for names in (AVERAGES, WRAPPERS))
    names = list(wrapped) if '' in wrapped else averages or known or list(wrapped)
    first = wrapped[names[0]]
    if not all(_equal(first, wrapped[name]) for name in names[1:]):
        found = ', '.join(f'{inside}{name}' if name else 'tensors beside them' for name in wrapped)
        keys = ''.join(f'[{key!r}]' for key in f'{inside}{names[0]}'.split('.'))
        raise UserError(
            f'{source} holds several sets of weights: {found}; keep the right one, such as: python -c '
            f'"import torch; torch.save(torch.load({str(source)!r}, weights_only=True){keys}, \'one.pth\')"'
        )
    return first


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def _plain_names(state: Mapping[str, Tensor], source: object) -> dict[str, Tensor]:
    """Remove what wrappers and counters added to the names."""
    plain: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.rpartition('.')[2] in _THOP and value.numel() == 1:
            continue
        inner = name
        for part in _NAME_PARTS:
            inner = inner.replace(part, '')
        if inner in plain:
            raise UserError(
                f'{source} holds two weights {inner}: with and without a wrapper in the name'
            )
        plain[inner] = value
    while True:
        weights = [name for name in plain if name not in _COUNTERS]
        if not weights or not all(name.startswith('module.') for name in weights):
            return plain
        plain = {name.removeprefix('module.'): plain[name] for name in weights}
