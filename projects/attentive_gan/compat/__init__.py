"""Compatibility with the installed toolbox; the only package that knows version numbers.

MMagic 1.2.0, mmcv 2.1.0 and MMEngine 0.10.7 are from January 2024 and earlier. Each known
incompatibility with current releases has one fix here, which is applied only where the problem is present.
`prepare` applies all of them; `report` says which were applied, and why.
"""

from __future__ import annotations

from .distributed import choose_backend, unwrapped_state_dict
from .preparation import ShimReport, prepare, report
from .versions import Requirement, check_requirements, installed_version, requirements

__all__ = [
    'Requirement',
    'ShimReport',
    'check_requirements',
    'choose_backend',
    'installed_version',
    'prepare',
    'report',
    'requirements',
    'unwrapped_state_dict',
]
