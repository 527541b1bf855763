"""Finds what is wrong in a config: misspelt fields and types, and values of another kind.

MMEngine builds the parts of a config one after another, and some only use a value long after the start.
Here the fields of a config are compared with the arguments of the classes that they name.
"""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import mmagic.registry
import torch
from mmengine.registry import Registry
from mmengine.runner import Runner

from .config_values import wrong_values

#: Registry of the class that a field names, by the field's name or its ending; it holds for what is inside
#: until another one is named.
_REGISTRIES = {
    'model': 'MODELS', 'optim_wrapper': 'OPTIM_WRAPPERS', 'optimizer': 'OPTIMIZERS',
    'param_scheduler': 'PARAM_SCHEDULERS', 'train_cfg': 'LOOPS', 'val_cfg': 'LOOPS', 'test_cfg': 'LOOPS',
    'dataset': 'DATASETS', 'pipeline': 'TRANSFORMS', 'transforms': 'TRANSFORMS',
    'sampler': 'DATA_SAMPLERS', 'batch_sampler': 'DATA_SAMPLERS', 'evaluator': 'METRICS',
    'metrics': 'METRICS', 'default_hooks': 'HOOKS', 'custom_hooks': 'HOOKS', 'visualizer': 'VISUALIZERS',
    'vis_backends': 'VISBACKENDS', 'log_processor': 'LOG_PROCESSORS',
}  # fmt: skip
#: Fields that MMEngine takes out before it calls a class.
_TAKEN_OUT = {
    'type',
    '_scope_',
    'by_epoch',
    'convert_to_iter_based',
    'constructor',
    'paramwise_cfg',
}
#: Fields of what is handed on as it is, or has no class.
_HANDED_ON = {
    'CheckpointHook': {'save_optimizer', 'save_param_scheduler', 'meta'},
    'randomness': {'seed', 'diff_rank_seed', 'deterministic'},
    'env_cfg': {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit', 'tf32'},
    'clip_grad': {'type', 'max_norm', 'norm_type', 'error_if_nonfinite', 'foreach', 'clip_value'},
}
#: Fields that name functions.
_FUNCTIONS = {'collate_fn', 'worker_init_fn'}
_NUMBERS, _LISTS = (int, float, complex), (tuple, list, Sequence)
#: How alike a top-level name and a field of the runner are if one is the other, misspelt.
_MISSPELT = 0.86


@dataclass(frozen=True)
class Fault:
    """Something wrong in a config."""

    path: str
    """Dotted name of the field."""
    text: str
    """What is wrong, and what was probably meant."""
    certain: bool
    """Whether it is wrong in any case; else only where building the config failed."""

    def __str__(self) -> str:
        return f'config field {self.path}: {self.text}'


def faults(config: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong in a complete config, after all its modules were imported.

    Args:
        config: The config.
    """
    for path, text in wrong_values(config):
        yield Fault(path, text, certain=True)
    known = [*inspect.signature(Runner.__init__).parameters, 'runner_type', 'auto_scale_lr']
    for name, value in config.items():
        close = difflib.get_close_matches(name, known, 1, _MISSPELT)
        if name not in known and close and isinstance(value, (dict, list)):
            yield Fault(name, f'nothing reads it{_meant(name, known)}', certain=True)
    for name, value in config.items():
        registry = _registry(name)
        if registry is not None:
            yield from _faults_in(value, name, registry)
    for name in ('randomness', 'env_cfg'):
        yield from _faults_in(config.get(name), name, mmagic.registry.RUNNERS)
    yield from _faults_in_test_cfg(config.get('model'))


def _faults_in_test_cfg(model: Any) -> Iterator[Fault]:
    """Yield unknown fields of what `AttentiveGAN` takes for tests."""
    if isinstance(model, Mapping) and model.get('type') == 'AttentiveGAN':
        options = model.get('test_cfg')
        if isinstance(options, Mapping):
            yield from _unknown(
                options, 'model.test_cfg', 'test_cfg', {'attention_maps'}, certain=True
            )


def _registry(name: str) -> Registry | None:
    """Return the registry of a field's classes."""
    named = _REGISTRIES.get(name) or _REGISTRIES.get(name.rpartition('_')[2])
    if name.endswith('_dataloader'):
        named = 'DATASETS'
    return getattr(mmagic.registry, named) if named else None


def _faults_in(node: Any, path: str, registry: Registry) -> Iterator[Fault]:
    """Yield what is wrong in a field and below."""
    if isinstance(node, (list, tuple)):
        for index, item in enumerate(node):
            yield from _faults_in(item, f'{path}.{index}', registry)
    if not isinstance(node, Mapping):
        return
    name = path.rpartition('.')[2]
    if name == 'log_processor':
        node = {'type': 'LogProcessor', **node}
    if isinstance(node.get('type'), (str, type)) and not name.endswith('_dataloader'):
        yield from _of_class(node, path, registry)
    elif name in _HANDED_ON:
        yield from _unknown(node, path, name, _HANDED_ON[name], certain=True)
    elif name.endswith('_dataloader') and 'type' not in node:
        arguments = set(inspect.signature(torch.utils.data.DataLoader.__init__).parameters)
        known = arguments | {'num_batch_per_epoch'}
        yield from _unknown(node, path, 'a data loader', known, certain=False)
    for field, value in node.items():
        if field in _FUNCTIONS:
            continue
        nested = None if path.startswith('model') else _REGISTRIES.get(field)
        inside = getattr(mmagic.registry, nested) if nested else registry
        yield from _faults_in(value, f'{path}.{field}', inside)


def _of_class(node: Mapping[str, Any], path: str, registry: Registry) -> Iterator[Fault]:
    """Yield what is wrong with the name of a class and its arguments."""
    kind = node['type']
    found = kind if inspect.isclass(kind) else _class_named(kind, registry)
    if found is None:
        names = [name for one in _lineage(registry) for name in one.module_dict]
        if '.' not in kind:
            what = registry.name.replace('_', ' ')
            yield Fault(f'{path}.type', f'there is no {what} {kind!r}{_meant(kind, names)}', False)
        return
    if not inspect.isclass(found):
        return
    arguments, open_end = _arguments(found)
    if not open_end:
        yield from _unknown(node, path, found.__name__, set(arguments), certain=False)
    for parent in found.__mro__[1:]:
        if parent.__name__ in _HANDED_ON:
            known = set(arguments) | _HANDED_ON[parent.__name__]
            yield from _unknown(node, path, found.__name__, known, certain=True)
    for field, value in node.items():
        hint, default = arguments.get(field, (None, None))
        guessed = (
            hint is None and isinstance(default, (int, float)) and not isinstance(default, bool)
        )
        expected = _misfit(value, float if guessed else hint)
        if expected:
            text = f'expected {expected}, got {value!r:.80}'
            yield Fault(f'{path}.{field}', text, certain=not guessed)


def _unknown(
    node: Mapping[str, Any], path: str, owner: str, known: set[str], certain: bool
) -> Iterator[Fault]:
    for field in node:
        if field not in known and field not in _TAKEN_OUT:
            text = f'{owner} has no such field{_meant(field, sorted(known - {"self"}))}'
            yield Fault(f'{path}.{field}', text, certain)


def _class_named(name: str, registry: Registry) -> Any:
    """Return the class of a name in the registry, those around it, or any other one; else None."""
    every = [one for one in vars(mmagic.registry).values() if isinstance(one, Registry)]
    for start in (registry, *every):
        for one in _lineage(start):
            if name in one.module_dict:
                return one.module_dict[name]
    return None


def _lineage(registry: Registry | None) -> Iterator[Registry]:
    """Yield a registry, its parents, and their children of other packages."""
    while registry is not None:
        yield registry
        yield from registry.children.values()
        registry = registry.parent


def _arguments(kind: type[Any]) -> tuple[dict[str, tuple[Any, Any]], bool]:
    """Return the arguments of a class with type hint and default, and whether it takes any others."""
    found: dict[str, tuple[Any, Any]] = {}
    for owner in kind.__mro__:
        constructor = owner.__dict__.get('__init__')
        if constructor is None:
            continue
        try:
            signature = inspect.signature(constructor)
        except (TypeError, ValueError):
            return found, True
        try:
            hints = typing.get_type_hints(constructor)
        except Exception:  # noqa: BLE001 -- hints are code, and may name what is not there
            hints = {}
        for name, parameter in signature.parameters.items():
            found.setdefault(name, (hints.get(name), parameter.default))
        kinds = [parameter.kind for parameter in signature.parameters.values()]
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            return found, False
    return found, True


def _misfit(value: Any, hint: Any) -> str:
    """Return what was expected where a value cannot be of the hinted type; else nothing.

    Only texts for numbers and lists, and numbers for lists, are judged.
    """
    kinds = _kinds(hint)
    plain = [typing.get_origin(kind) or kind for kind in kinds]
    if not kinds or not all(inspect.isclass(kind) for kind in plain):
        return ''
    numbers = any(kind in _NUMBERS for kind in plain)
    lists = [kind for kind, origin in zip(kinds, plain, strict=True) if _is_list(origin)]
    if isinstance(value, str):
        if any(kind is object or issubclass(str, kind) for kind in plain if not _is_list(kind)):
            return ''
        text = 'a number' if numbers else 'a list' if lists else ''
        return f'{text}{_as_number(value)}' if text and not _may_be_text(plain) else ''
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (
            'a list'
            if lists and all(_is_list(kind) or kind is type(None) for kind in plain)
            else ''
        )
    if isinstance(value, (list, tuple)) and len(lists) == 1:
        items = [item for item in typing.get_args(lists[0]) if item is not Ellipsis]
        return next(('a list of numbers' for v in value for item in items[:1]
                     if _misfit(v, item) == 'a number'), '')  # fmt: skip
    return ''


def _kinds(hint: Any) -> list[Any]:
    """Return the members of a union, or the hint itself."""
    if hint is None or hint is Any:
        return []
    if typing.get_origin(hint) in (Union, types.UnionType):
        return [kind for member in typing.get_args(hint) for kind in _kinds(member) or [member]]
    return [hint]


def _is_list(kind: Any) -> bool:
    return kind in _LISTS


def _may_be_text(kinds: Sequence[Any]) -> bool:
    """Return whether a text could stand for one of some classes, such as a path or a choice."""
    fine = (*_NUMBERS, *_LISTS, bool, dict, type(None), torch.Tensor)
    return any(kind not in fine for kind in kinds)


def _as_number(value: str) -> str:
    """Say how to write a text that is a number."""
    try:
        float(value)
    except ValueError:
        return ''
    return ' (write it without quotes, and in YAML with a point, as 1.0e-4)'


def _meant(name: str, names: Sequence[str]) -> str:
    """Return a suggestion for a misspelt name."""
    close = difflib.get_close_matches(name, names, n=1)
    return f'; did you mean {close[0]!r}?' if close else ''
