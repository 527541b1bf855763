"""Samplers whose order is a function of the seed."""

from __future__ import annotations

from .seeded_sampler import SeededIndex, SeededSampler, seeded_rng
from .shares_sampler import SharesSampler

__all__ = ['SeededIndex', 'SeededSampler', 'SharesSampler', 'seeded_rng']
