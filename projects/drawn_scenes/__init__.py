"""Clean scenes drawn by rule, with the statistics of photos. Needs NumPy and OpenCV only."""

from __future__ import annotations

from .scenes import draw_scene

__all__ = ['draw_scene']
