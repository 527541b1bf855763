"""Packages that only some uses need."""

from __future__ import annotations

import importlib.util

from attentive_gan.errors import UserError


def require_packages(*packages: str) -> None:
    """Make sure that optional packages are installed.

    Args:
        *packages: Names, equal for import and installation.

    Raises:
        UserError: Some are missing.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f'{" and ".join(missing)} not installed, which this needs; '
            f'run: pip install {" ".join(missing)}'
        )
