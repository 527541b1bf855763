"""Optimizer wrappers and gradient clipping."""

from __future__ import annotations

from .bfloat16 import Bfloat16OptimWrapper

__all__ = ['Bfloat16OptimWrapper']
