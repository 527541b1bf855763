"""Registers everything under its name, in the host toolbox that was mended before."""

from __future__ import annotations

from . import host


def register_all() -> None:
    """Prepare the host and register networks, losses, data sets, transforms, metrics and hooks.

    Importing the package does this, unless it was imported light; calling it again changes nothing.

    Raises:
        UserError: A host package is missing or outside of the versions that are known to work.
    """
    host.prepare()
    from . import datasets, editors, engine, losses, metrics, networks  # noqa: F401
