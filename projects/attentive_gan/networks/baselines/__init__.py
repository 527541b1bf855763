"""Other restorers, to compare with: networks that MMagic lacks."""

from __future__ import annotations

from .prenet import ConvGRU, PReNet

__all__ = ['ConvGRU', 'PReNet']
