"""Versions of the packages that scores depend on."""

from __future__ import annotations

import cv2

from attentive_gan.compat.versions import installed_version

#: Packages whose version is recorded with a score.
_SCORING_PACKAGES = ('mmagic', 'mmengine', 'numpy', 'scikit-image', 'torch')


def package_versions() -> dict[str, str]:
    """Return the versions of the installed packages that a score depends on, by name."""
    found = {name: installed_version(name) for name in _SCORING_PACKAGES}
    known = {name: str(version) for name, version in found.items() if version is not None}
    # OpenCV has several distribution names.
    return {**known, 'opencv': cv2.__version__}
