"""All that mends the toolbox; the only room that knows version numbers.

MMagic 1.2.0, mmcv 2.1.0 and MMEngine 0.10.7 are from January 2024 and earlier. Each known break on a
current machine has one shim here, which looks first whether the break is present and otherwise leaves
everything as it is. `prepare` applies all of them; `report` says which were active, and why.
"""

from __future__ import annotations

from .checkpoints import read_checkpoint, verify_checkpoint, write_checkpoint
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
    'read_checkpoint',
    'report',
    'requirements',
    'unwrapped_state_dict',
    'verify_checkpoint',
    'write_checkpoint',
]
