"""Pictures made by rule: clean scenes, and raindrops on them from physics. NumPy and OpenCV only."""

from __future__ import annotations

from .drawn_scenes import draw_scene
from .options import RaindropOptions
from .parameters import RaindropParameters
from .raindrops import RainyPicture, render_raindrops
from .sampling import add_raindrops, is_night, sample_parameters
from .simple_drops import add_simple_drops

__all__ = [
    'RaindropOptions',
    'RaindropParameters',
    'RainyPicture',
    'add_raindrops',
    'add_simple_drops',
    'draw_scene',
    'is_night',
    'render_raindrops',
    'sample_parameters',
]
