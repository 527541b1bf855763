"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.browser import start_chromium

REPOSITORY = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).resolve().parent / 'golden'


def pytest_configure() -> None:
    """Let tools be interrupted by the tests, also where a shell runs them in its background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope='module')
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    chromium = start_chromium()
    yield chromium
    chromium.quit()
