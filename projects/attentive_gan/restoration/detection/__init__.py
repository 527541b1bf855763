"""Telling how wet the glass in front of the camera is: images, videos and frames as they come."""

from __future__ import annotations

from .detector import Detection, DetectionSettings, RaindropDetector

__all__ = ['Detection', 'DetectionSettings', 'RaindropDetector']
