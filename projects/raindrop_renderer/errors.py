"""The error of options and images that raindrops cannot be rendered with."""

from __future__ import annotations


class RaindropOptionError(ValueError):
    """An option is out of its range, or an image is not of the kind that is needed."""
