"""Pictures made by rule: clean scenes, and raindrops on them. NumPy and OpenCV only.

A renderer of raindrops is a function from (clean picture, seed) to a `RainyPicture`; the simple one
is for trying things out, not for realism.
"""

from __future__ import annotations

from .drawn_scenes import draw_scene
from .simple_drops import RainyPicture, add_simple_drops

__all__ = ['RainyPicture', 'add_simple_drops', 'draw_scene']
