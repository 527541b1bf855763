"""Doctests: modules are imported after the compatibility fixes."""

from __future__ import annotations

from attentive_gan import compat


def pytest_configure() -> None:
    """Make MMagic importable."""
    compat.prepare()
