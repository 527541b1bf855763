"""Raindrops on images, rendered from physics. Needs NumPy and OpenCV only."""

from __future__ import annotations

from .blobs import add_blobs
from .errors import RaindropOptionError
from .moving_water import WATERS, MovingWater, Water
from .options import TRAINING_MIX, RaindropOptions
from .pairs import PairOptions, render_pair
from .parameters import RaindropParameters
from .raindrops import RainyImage, Window, render_raindrops
from .sampling import add_raindrops, is_night, sample_parameters

__all__ = [
    'TRAINING_MIX',
    'WATERS',
    'MovingWater',
    'PairOptions',
    'RaindropOptionError',
    'RaindropOptions',
    'RaindropParameters',
    'RainyImage',
    'Water',
    'Window',
    'add_blobs',
    'add_raindrops',
    'is_night',
    'render_pair',
    'render_raindrops',
    'sample_parameters',
]
