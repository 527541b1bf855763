"""Samplers whose order is a function of the seed."""

from __future__ import annotations

from .draws import Draw, seeded
from .seeded_sampler import SeededSampler

__all__ = ['Draw', 'SeededSampler', 'seeded']
