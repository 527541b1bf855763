"""Small fixes of MMagic 1.2.0 and MMEngine 0.10.7 on current releases of their dependencies.

Each function applies one fix if the installed versions need it, and returns whether they do, and why.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import platform
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from attentive_gan.utils.checkpoint_io import read_checkpoint


def add_numpy_bool8() -> tuple[bool, str]:
    """Restore `np.bool8`, which NumPy 2 removed and `mmagic/utils/trans_utils.py` reads at import."""
    with warnings.catch_warnings():
        # NumPy 1.26 still has the name and warns whenever it is accessed.
        warnings.simplefilter('ignore', DeprecationWarning)
        present = hasattr(np, 'bool8')
    if present:
        return False, f'NumPy {np.__version__} has np.bool8'
    np.bool8 = np.bool_  # type: ignore[attr-defined]
    return True, f'NumPy {np.__version__} has no np.bool8, which MMagic reads at import'


def installed_path(package: str) -> str:
    """Return the folder of an importable package, as `mmengine.utils.get_installed_path` does.

    Raises:
        RuntimeError: The package is not installed or has no folder of its own.

    Example:
        >>> Path(installed_path('numpy')).name
        'numpy'
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f'no package {package!r} with a folder of its own is installed')
    return str(Path(spec.origin).parent)


def is_installed(package: str) -> bool:
    """Return whether a package can be imported, as `mmengine.utils.is_installed` does."""
    return importlib.util.find_spec(package) is not None


def add_find_loader() -> tuple[bool, str]:
    """Restore `pkgutil.find_loader`, which Python 3.14 removed and MMEngine and mmcv call."""
    if hasattr(pkgutil, 'find_loader'):
        return False, f'Python {platform.python_version()} has pkgutil.find_loader'

    def find_loader(name: str) -> Any:
        spec = importlib.util.find_spec(name)
        return None if spec is None else spec.loader

    pkgutil.find_loader = find_loader  # type: ignore[assignment]
    return (
        True,
        f'Python {platform.python_version()} has no pkgutil.find_loader, which MMEngine needs',
    )


def replace_package_lookup() -> tuple[bool, str]:
    """Replace MMEngine's lookup of `mmagic::` base configs where setuptools 82 has no `pkg_resources`."""
    if is_installed('pkg_resources'):
        return False, 'setuptools still has pkg_resources'
    import mmengine.config.config as config_module
    import mmengine.utils
    from mmengine.utils import package_utils

    for module in (package_utils, mmengine.utils, config_module):
        module.get_installed_path = installed_path
        module.is_installed = is_installed
    return True, 'setuptools has no pkg_resources, which MMEngine needs for `mmagic::` base configs'


def replace_checkpoint_loader() -> tuple[bool, str]:
    """Let MMEngine read local checkpoints by `read_checkpoint`: torch 2.6 refuses its own ones."""
    if torch.__version__ < torch.torch_version.TorchVersion('2.6'):
        return False, f'torch {torch.__version__} reads MMEngine checkpoints'
    from mmengine.runner import CheckpointLoader

    def load_local(filename: str, map_location: Any = None) -> dict[str, Any]:
        return read_checkpoint(Path(filename).expanduser(), map_location or 'cpu')

    CheckpointLoader.register_scheme(prefixes='', loader=load_local, force=True)
    return True, f'torch {torch.__version__} refuses MMEngine checkpoints by default'
