"""MMEngine 0.10.7 finds `_base_ = 'mmagic::...'` through `pkg_resources`, gone since setuptools 82."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def installed_path(package: str) -> str:
    """Return the folder of an importable package, as `mmengine.utils.get_installed_path` does.

    Args:
        package: Import name, such as `mmagic`.

    Raises:
        RuntimeError: The package is not installed or has no folder of its own.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f'no package {package!r} with a folder of its own is installed')
    return str(Path(spec.origin).parent)


def is_installed(package: str) -> bool:
    """Tell whether a package can be imported, as `mmengine.utils.is_installed` does.

    Args:
        package: Import name, such as `mmagic`.
    """
    return importlib.util.find_spec(package) is not None


def apply() -> tuple[bool, str]:
    """Replace MMEngine's look-up where `pkg_resources` does not exist."""
    if importlib.util.find_spec('pkg_resources') is not None:
        return False, 'setuptools still has pkg_resources'
    import mmengine.config.config as config_module
    import mmengine.utils
    import mmengine.utils.package_utils as package_utils

    for module in (package_utils, mmengine.utils, config_module):
        module.get_installed_path = installed_path
        module.is_installed = is_installed
    return True, 'setuptools has no pkg_resources, which MMEngine needs for `mmagic::` base configs'
