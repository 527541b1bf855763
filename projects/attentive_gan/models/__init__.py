"""Networks, losses, editors (training steps) and data preprocessors."""

from __future__ import annotations

from . import data_preprocessors, editors, losses, networks

__all__ = ['data_preprocessors', 'editors', 'losses', 'networks']
