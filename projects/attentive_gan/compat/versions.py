"""Installed versions of the required packages, and the versions that are known to work."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from packaging.version import Version

from attentive_gan.errors import UserError

#: Command that installs MMagic without the hundred packages that it lists.
INSTALL_TOOLBOX = 'pip install --no-deps mmagic==1.2.0 mmcv-lite==2.1.0'
INSTALL_TORCH = 'pip install torch torchvision'


@dataclass(frozen=True)
class Requirement:
    """A required package.

    Attributes:
        distributions: Names on the package index; any of them will do, the first installed one counts.
        minimum: Oldest version that is known to work.
        below: First version that is known, or must be expected, not to work.
        remedy: Command that installs a version that works.
    """

    distributions: tuple[str, ...]
    minimum: str
    below: str
    remedy: str


#: MMagic asserts its mmcv and MMEngine ranges itself, with an AssertionError.
_REQUIREMENTS = (
    Requirement(('torch',), '2.0', '3', INSTALL_TORCH),
    Requirement(('torchvision',), '0.15', '1', INSTALL_TORCH),
    Requirement(('mmengine', 'mmengine-lite'), '0.10.7', '0.11', 'pip install mmengine==0.10.7'),
    Requirement(('mmcv', 'mmcv-lite'), '2.0.0', '2.2.0', INSTALL_TOOLBOX),
    Requirement(('mmagic',), '1.2.0', '1.3', INSTALL_TOOLBOX),
)


def requirements() -> tuple[Requirement, ...]:
    """Return the packages that MMagic's part of this project needs."""
    return _REQUIREMENTS


def installed_version(*distributions: str) -> Version | None:
    """Return the version of the first distribution that is installed, or None.

    Args:
        distributions: Names on the package index, such as `mmcv` and `mmcv-lite`.
    """
    for name in distributions:
        with suppress(PackageNotFoundError):
            return Version(version(name))
    return None


def check_requirements() -> None:
    """Check that all required packages are installed in versions that work.

    Raises:
        UserError: A package is missing, or its version is outside of the known range.
    """
    for requirement in _REQUIREMENTS:
        found = installed_version(*requirement.distributions)
        name = ' or '.join(requirement.distributions)
        if found is None:
            raise UserError(f'{name} is not installed; run: {requirement.remedy}')
        if not Version(requirement.minimum) <= found < Version(requirement.below):
            raise UserError(
                f'{name} {found} is installed, but attentive_gan needs at least '
                f'{requirement.minimum} and below {requirement.below}; run: {requirement.remedy}'
            )
