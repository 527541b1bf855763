"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attentive_gan import compat
from attentive_gan.image_io import write_image
from support.browser import start_chromium
from support.fault_matrix import FaultTable
from support.pairs import pair_of

REPOSITORY = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).resolve().parent / 'golden'


def pytest_configure(config: pytest.Config) -> None:
    """Make MMagic importable, and tools interruptible where a shell runs the tests in its background."""
    compat.prepare()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(FaultTable(config.getoption('--target')), 'fault-table')


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of these tests."""
    parser.addoption(
        '--fuzz-rounds',
        type=int,
        default=120,
        metavar='N',
        help='mutations of each file (default 120)',
    )
    parser.addoption(
        '--target',
        choices=['own', 'mmengine'],
        default='own',
        help='what the faults of `-m fault` are injected into: this project (default), or the runner of '
        'MMEngine alone, where many tests are expected to fail',
    )


@pytest.fixture(scope='session')
def repository() -> Path:
    """Root folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope='session')
def golden() -> Path:
    """Folder of golden values (see tests/golden/README.md)."""
    return GOLDEN


@pytest.fixture(scope='session')
def shared() -> Path:
    """Folder of reference images and weights that may not be shipped; skips where it is absent."""
    folder = Path(os.environ.get('ATTENTIVE_GAN_SHARED', REPOSITORY.parent / 'shared'))
    if not (folder / 'data' / 'raindrop_train_pairs').is_dir():
        pytest.skip(f'no reference images in {folder}; set ATTENTIVE_GAN_SHARED to their folder')
    return folder


@pytest.fixture
def raindrop_set(tmp_path) -> Callable[..., Path]:
    """Return a function that writes a data set with the given numbers, in the given order."""

    def write(numbers=(0, 1, 2), root=tmp_path / 'train', suffixes=('.png',)) -> Path:
        for position, number in enumerate(numbers):
            rainy, clean = pair_of(number)
            suffix = suffixes[position % len(suffixes)]
            write_image(root / 'data' / f'{number}_rain{suffix}', rainy)
            write_image(root / 'gt' / f'{number}_clean{suffix}', clean)
        return root

    return write


@pytest.fixture(scope='module')
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    chromium = start_chromium()
    yield chromium
    chromium.quit()
