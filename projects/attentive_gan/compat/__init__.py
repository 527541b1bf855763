"""Compatibility with the installed MMagic, MMEngine and mmcv; the only package with version numbers.

MMagic 1.2.0, mmcv 2.1.0 and MMEngine 0.10.7 are from January 2024 and earlier. Each known
incompatibility with current releases has one fix here, applied only where the problem is present.
`prepare` applies all of them; `report` returns which were applied, and why.
"""

from __future__ import annotations

from .preparation import prepare, report
from .versions import installed_version, requirements

__all__ = ['installed_version', 'prepare', 'report', 'requirements']
