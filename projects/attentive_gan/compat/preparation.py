"""Applies every fix once, in the order in which the toolbox needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import fixes, inherited_configs, lean_mmagic, versions


@dataclass(frozen=True)
class AppliedFix:
    """Outcome of one fix on this machine.

    Attributes:
        name: Short name of the incompatibility.
        active: Whether it is present here, so that the fix was applied.
        reason: What was found, in one line.
    """

    name: str
    active: bool
    reason: str


#: Functions that apply a fix where it is needed and return (active, reason), by name.
_FIXES: dict[str, Callable[[], tuple[bool, str]]] = {
    'NumPy names': fixes.add_numpy_bool8,
    'loader lookup': fixes.add_find_loader,
    'package paths': fixes.replace_package_lookup,
    'inherited configs': inherited_configs.apply,
    'lean MMagic': lean_mmagic.apply,
    'checkpoint reading': fixes.replace_checkpoint_loader,
}

_applied: list[AppliedFix] = []


def prepare() -> None:
    """Make MMagic, MMEngine and mmcv work on this machine; further calls change nothing.

    Raises:
        UserError: A required package is missing or outside of the versions that are known to work.
    """
    if _applied:
        return
    versions.check_requirements()
    for name, apply in _FIXES.items():
        _applied.append(AppliedFix(name, *apply()))


def report() -> list[AppliedFix]:
    """Return the outcome of every fix, in the order of application; empty before `prepare`."""
    return list(_applied)
