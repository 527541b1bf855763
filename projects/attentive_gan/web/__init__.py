"""Style and slider shared by all pages, and reading of a page's files."""

from __future__ import annotations

from importlib import resources

__all__ = ['read_asset']


def read_asset(name: str, package: str = __name__) -> str:
    """Return the text of a file in the folder `assets` of a package.

    Args:
        name: File name; `look.css` and `slider.js` are shared by all pages.
        package: Import name of the package that holds the folder.

    Example:
        >>> ':root' in read_asset('look.css')
        True
    """
    return (resources.files(package) / 'assets' / name).read_text('utf-8')
