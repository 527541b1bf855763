"""Samplers whose order is a function of the seed."""

from __future__ import annotations

from .seeded_sampler import SeededIndex, SeededSampler, seeded_rng

__all__ = ['SeededIndex', 'SeededSampler', 'seeded_rng']
