"""Limits of the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of uploads and connections."""

    upload_megabytes: float = 64.0
    """Largest file, in units of 10^6 bytes."""
    image_seconds: float = 600.0
    """Time for the work on an image, after which the next one gets its turn."""
    megapixels: float = 50.0
    """Largest image, in units of 10^6 pixels."""
    aspect_ratio: float = 100.0
    """Largest ratio of the sides of an image: a row of pixels takes as long as 64 rows or more."""
    connections: int = 48
    """Most connections; a further one takes the place of the one that was idle the longest."""
    uploads: int = 4
    """Most files that are received at a time, as their bytes are in memory."""
    header_seconds: float = 10.0
    """Time for the headers of a request."""
    upload_seconds: float = 120.0
    """Time for the body of a request."""

    @property
    def upload_bytes(self) -> int:
        """Largest file in bytes."""
        return int(self.upload_megabytes * 1e6)

    @property
    def pixels(self) -> int:
        """Largest image in pixels."""
        return int(self.megapixels * 1e6)
