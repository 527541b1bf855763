"""Shared by the tests of inference."""

from __future__ import annotations

import pytest
from support.lively_networks import BUILDERS, lively
from torch import nn


@pytest.fixture(scope='session')
def networks() -> dict[str, nn.Module]:
    """One network of every kind."""
    return {name: lively(build()) for name, build in BUILDERS.items()}
