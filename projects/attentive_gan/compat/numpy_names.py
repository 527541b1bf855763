"""NumPy 2 removed the name `np.bool8`, which `mmagic/utils/trans_utils.py` reads at import."""

from __future__ import annotations

import warnings

import numpy as np


def apply() -> tuple[bool, str]:
    """Give NumPy its old name back where it is missing."""
    with warnings.catch_warnings():
        # NumPy 1.26 still has the name and warns on every look at it.
        warnings.simplefilter('ignore', DeprecationWarning)
        present = hasattr(np, 'bool8')
    if present:
        return False, f'NumPy {np.__version__} has np.bool8'
    np.bool8 = np.bool_  # type: ignore[attr-defined]
    return True, f'NumPy {np.__version__} has no np.bool8, which MMagic reads at import'
