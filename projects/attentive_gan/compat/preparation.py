"""Applies every shim, once, in the order in which the toolbox needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import (
    checkpoint_loader,
    inherited_configs,
    installed_paths,
    lean_mmagic,
    numpy_names,
    versions,
)


@dataclass(frozen=True)
class ShimReport:
    """What became of one shim on this machine."""

    name: str
    """Short name of the break."""
    active: bool
    """Whether the break is present here, so that the shim was applied."""
    reason: str
    """What was found, in one line."""


#: (name, function that applies the shim where it is needed and returns (active, reason)).
_SHIMS: tuple[tuple[str, Callable[[], tuple[bool, str]]], ...] = (
    ('NumPy names', numpy_names.apply),
    ('package paths', installed_paths.apply),
    ('inherited configs', inherited_configs.apply),
    ('lean MMagic', lean_mmagic.apply),
    ('checkpoint reading', checkpoint_loader.apply),
)

_reports: list[ShimReport] = []


def prepare() -> None:
    """Make MMagic, MMEngine and mmcv work on this machine; calling it again changes nothing.

    Raises:
        UserError: A host package is missing or outside of the versions that are known to work.
    """
    if _reports:
        return
    versions.check_requirements()
    for name, apply in _SHIMS:
        active, reason = apply()
        _reports.append(ShimReport(name, active, reason))


def report() -> list[ShimReport]:
    """Return what `prepare` found and did, in the order of application."""
    return list(_reports)
