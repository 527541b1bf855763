"""A small data set, and a leaderboard that was evaluated on it."""

from __future__ import annotations

import shutil
from pathlib import Path

import attentive_gan.registration  # noqa: F401
import pytest
import torch
from attentive_gan.config.reading import load_config
from attentive_gan.leaderboard import CostSetting, Plan, evaluate, open_data, parse_entry
from mmagic.registry import MODELS
from mmengine.registry import DefaultScope
from support.runs import TINY_CONFIG, write_pairs


@pytest.fixture(scope='session')
def pairs(tmp_path_factory) -> Path:
    """Five pairs of 48x40 in the published layout."""
    return write_pairs(tmp_path_factory.mktemp('leaderboard_data') / 'test_a', 5)


@pytest.fixture(scope='session')
def data(pairs):
    return open_data(str(pairs))


def _save_weights(path: Path, config: Path = TINY_CONFIG, **changes) -> Path:
    """Save random weights of the tiny GAN; `changes` sets parts of the state to a value."""
    config = load_config(str(config))
    torch.manual_seed(3)
    with DefaultScope.overwrite_default_scope('mmagic'):
        state = MODELS.build(config.model).state_dict()
    for name, value in changes.items():
        state[name.replace('__', '.')].fill_(value)
    torch.save({'state_dict': state}, path)
    return path


@pytest.fixture(scope='session')
def weights(tmp_path_factory) -> Path:
    return _save_weights(tmp_path_factory.mktemp('weights') / 'tiny.pth')


@pytest.fixture
def save_weights():
    """Function that saves weights of the tiny GAN, some of them changed."""
    return _save_weights


@pytest.fixture
def restored(pairs, tmp_path) -> Path:
    """A folder of 'restored' images: the rainy ones under their own names."""
    shutil.copytree(pairs / 'data', tmp_path / 'restored')
    return tmp_path / 'restored'


@pytest.fixture
def evaluated(data, tmp_path):
    """Evaluate entries given as text, without timing, and return their results by name."""

    def run(*texts, out=None, data=data, **plan):
        entries = [parse_entry(text) for text in texts]
        cost = plan.pop('cost', CostSetting(48, 40, timing=False))
        plan = Plan(out or tmp_path / 'out', cost=cost, **plan)
        return {result.name: result for result in evaluate(entries, data, plan)}

    return run
