"""Finds plain values in a config that cannot be meant, such as an interval of 0 or a number for a dict.

MMEngine takes many of them without a check, and fails with a traceback when it uses them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mmengine.config import Config

#: Protocols of `RaindropScores` whose metrics are not known before they are computed.
_OPEN_PROTOCOLS = {'ntire'}


@dataclass(frozen=True)
class _Kind:
    """What a value may be."""

    expected: str
    fits: Callable[[Any], bool]
    optional: bool = True
    """Whether None is a value, too."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    """Return whether a value is a number, a truth value or a text, and no part of a training."""
    return isinstance(value, (bool, int, float, str))


def _is_whole(value: Any, least: int) -> bool:
    """Return whether a number is whole, such as 100 or 1e5."""
    return _is_number(value) and value >= least and float(value).is_integer()


def _is_int(value: Any, least: int) -> bool:
    return _is_number(value) and isinstance(value, int) and value >= least


_DICT = _Kind('a dict', lambda value: not _is_plain(value) and not isinstance(value, (list, tuple)))
_REQUIRED_DICT = _Kind(_DICT.expected, _DICT.fits, optional=False)
_DICTS = _Kind('a dict or a list of dicts', lambda value: not _is_plain(value))
_LIST = _Kind('a list of dicts', lambda value: isinstance(value, (list, tuple)))
_PATH = _Kind('a path', lambda value: isinstance(value, (str, os.PathLike)))
_TRUTH = _Kind('True or False', lambda value: value in (False, True))
_COUNT = _Kind('a whole number from 1 on', lambda value: _is_int(value, 1))
_COUNT_OR_0 = _Kind('a whole number from 0 on', lambda value: _is_int(value, 0))
_ITERATIONS = _Kind(_COUNT.expected, lambda value: _is_whole(value, 1))
_REQUIRED_ITERATIONS = _Kind(_COUNT.expected, _ITERATIONS.fits, optional=False)
_STAGE = _Kind(
    'a whole number from 0 on, or a share of the training in (0, 1)',
    lambda value: _is_whole(value, 0) or (_is_number(value) and 0 < value < 1),
    optional=False,
)
_ABOVE_0 = _Kind('a number above 0', lambda value: _is_number(value) and value > 0)
_SEED = _Kind(
    'a whole number from 0 to 4294967295', lambda value: _is_int(value, 0) and value < 2**32
)
_LEVEL = _Kind(
    'one of DEBUG, INFO, WARNING, ERROR, CRITICAL',
    lambda value: _is_int(value, 0) or isinstance(logging.getLevelName(value), int),
)

#: What fields may be: parts of names as patterns, the outer fields first.
_KINDS = {
    'model': _REQUIRED_DICT,
    'train_cfg': _DICT, 'val_cfg': _DICT, 'test_cfg': _DICT,
    'train_dataloader': _DICT, 'val_dataloader': _DICTS, 'test_dataloader': _DICTS,
    'val_evaluator': _DICTS, 'test_evaluator': _DICTS, '*_evaluator.metrics': _DICTS,
    'optim_wrapper': _DICT, 'param_scheduler': _DICTS, 'env_cfg': _REQUIRED_DICT,
    'randomness': _DICT, 'log_processor': _DICT, 'visualizer': _DICT,
    'default_hooks': _DICT, 'default_hooks.*': _DICT, 'custom_hooks': _LIST, 'custom_hooks.*': _DICT,
    'load_from': _PATH, 'work_dir': _PATH, 'log_level': _LEVEL,
    'train_cfg.max_iters': _REQUIRED_ITERATIONS, 'train_cfg.val_interval': _ITERATIONS,
    'model.generator': _DICT, 'model.discriminator': _DICT, 'model.data_preprocessor': _DICT,
    'model.train_cfg': _DICT, 'model.test_cfg': _DICT,
    'model.train_cfg.gen_init_steps': _STAGE, 'model.train_cfg.disc_init_steps': _STAGE,
    'model.train_cfg.gen_steps': _COUNT,
    'optim_wrapper.clip_grad': _DICT, 'optim_wrapper.*.clip_grad': _DICT,
    'optim_wrapper.clip_grad.max_norm': _ABOVE_0, 'optim_wrapper.*.clip_grad.max_norm': _ABOVE_0,
    'optim_wrapper.optimizer': _DICT, 'optim_wrapper.*.optimizer': _DICT,
    'env_cfg.mp_cfg': _REQUIRED_DICT, 'env_cfg.dist_cfg': _REQUIRED_DICT,
    '*_dataloader.sampler': _DICT, '*_dataloader.dataset': _DICT, '*_dataloader.batch_size': _COUNT,
    '*_dataloader.num_workers': _COUNT_OR_0,
    'default_hooks.logger.interval': _COUNT, 'default_hooks.sample_grid.interval': _COUNT,
    'randomness.seed': _SEED, 'randomness.deterministic': _TRUTH, 'randomness.diff_rank_seed': _TRUTH,
    'env_cfg.cudnn_benchmark': _TRUTH, 'env_cfg.tf32': _TRUTH,
}  # fmt: skip


def wrong_values(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the dotted names of fields with wrong values, and what was expected.

    Args:
        config: Complete config.

    Examples:
        >>> list(wrong_values(dict(train_cfg=dict(val_interval=0))))
        [('train_cfg.val_interval', 'expected a whole number from 1 on, got 0')]
    """
    for pattern, kind in _KINDS.items():
        for path, value in _matching(config, pattern.split('.')):
            if not (kind.optional if value is None else kind.fits(value)):
                yield path, f'expected {kind.expected}, got {value!r:.80}'
    for name in ('train_cfg', 'val_cfg', 'test_cfg'):
        loop = config.get(name)
        if isinstance(loop, Mapping) and 'type' in loop and 'by_epoch' in loop:
            yield f'{name}.by_epoch', f'expected no such field beside {name}.type'


def _matching(node: Any, pattern: list[str], path: str = '') -> Iterator[tuple[str, Any]]:
    """Yield names and values of the fields that match a pattern."""
    if not pattern:
        yield path.removeprefix('.'), node
        return
    fields: Any = ()
    if isinstance(node, (Mapping, Config)):
        fields = node.items()
    elif isinstance(node, (list, tuple)):
        fields = enumerate(node)
    for name, value in fields:
        if fnmatchcase(str(name), pattern[0]):
            yield from _matching(value, pattern[1:], f'{path}.{name}')


def wrong_best_metric(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield `save_best` if it names a metric that the evaluator does not give; only training reads it.

    Args:
        config: Complete config.
    """
    known = _metric_names(config)
    for path, value in _matching(config, ['default_hooks', 'checkpoint', 'save_best']):
        wanted = [value] if isinstance(value, str) else value
        if value is None or value == 'auto' or not known:
            continue
        if not isinstance(wanted, (list, tuple)) or not all(name in known for name in wanted):
            yield path, f'expected one of {", ".join(known)}, got {value!r:.80}'


def _metric_names(config: Mapping[str, Any]) -> list[str]:
    """Return the names of all validation metrics, or nothing where a class other than ours gives some."""
    evaluators = config.get('val_evaluator') or []
    evaluators = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
    names = []
    for evaluator in evaluators:
        metrics = evaluator.get('metrics') if isinstance(evaluator, Mapping) else None
        for metric in metrics if isinstance(metrics, (list, tuple)) else [metrics]:
            if not isinstance(metric, Mapping) or metric.get('type') != 'RaindropScores':
                return []
            protocols = metric.get('protocols', ('qian', 'bt601'))
            if not isinstance(protocols, (list, tuple)) or _OPEN_PROTOCOLS & set(protocols):
                return []
            start = f'{metric["prefix"]}/' if metric.get('prefix') else ''
            inputs = ('', 'input_') if metric.get('score_input', True) else ('',)
            names += [
                f'{start}{which}{protocol}_{score}'
                for which in inputs for protocol in protocols for score in ('psnr', 'ssim')
            ]  # fmt: skip
    return names
