"""Data preprocessors, which move batches to the device."""

from __future__ import annotations

from .pair_preprocessor import PairPreprocessor

__all__ = ['PairPreprocessor']
