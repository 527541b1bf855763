"""All that mends the toolbox; the only room that knows version numbers."""

from __future__ import annotations

__all__ = ['prepare']


def prepare() -> None:
    """Make MMagic, MMEngine and mmcv importable on this machine."""
