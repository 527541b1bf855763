"""Style and slider shared by all pages."""

from __future__ import annotations

from importlib import resources


def shared_asset(name: str) -> str:
    """Return the text of a shared file.

    Args:
        name: `look.css` or `slider.js`.
    """
    return (resources.files(__package__) / 'assets' / name).read_text('utf-8')


__all__ = ['shared_asset']
