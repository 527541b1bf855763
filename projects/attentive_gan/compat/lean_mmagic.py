"""Imports MMagic with only the editors that restoration needs.

`mmagic.models.editors` imports all of MMagic's models, and with them diffusers, transformers and the
compiled operators of mmcv; none of these can be installed together on a current machine. Where any is
missing, the package is replaced by one with the restoration editors only. A complete installation is
not changed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from types import ModuleType

from packaging.version import Version

from .placeholders import missing_packages, placeholders
from .versions import installed_version

#: Editors that this project builds on; each is a folder of `mmagic/models/editors`.
EDITORS = ('srgan', 'nafnet', 'restormer', 'pix2pix', 'swinir')

#: Packages that MMagic 1.2.0 imports at the top of some file, and that restoration never needs.
OPTIONAL_PACKAGES = (
    'albumentations', 'av', 'clip', 'controlnet_aux', 'diffusers', 'face_alignment', 'facexlib',
    'lmdb', 'lpips', 'mediapipe', 'mmdet', 'open_clip', 'pandas', 'resize_right', 'tqdm',
    'transformers',
)  # fmt: skip

#: Packages that `mmagic.models.editors` and `mmagic.evaluation` need, with the first version that is not
#: known to work (0.24.0 and 4.38.2 are), if any.
_COMPLETE: dict[str, str | None] = {
    'diffusers': '0.25',
    'transformers': '4.39',
    'albumentations': None,
}

#: Parts of MMagic that its registries import on first use; here all at once, while there are placeholders.
_PARTS = (
    'mmagic.structures',
    'mmagic.models',
    'mmagic.datasets',
    'mmagic.datasets.transforms',
    'mmagic.evaluation',
    'mmagic.engine',
    'mmagic.visualization',
    'mmagic.apis',
)


def reason_for_lean_import() -> str | None:
    """Return why MMagic's complete model zoo cannot be imported here, or None if it can."""
    if importlib.util.find_spec('mmcv._ext') is None:
        return 'mmcv has no compiled operators (mmcv-lite)'
    for package, broken in _COMPLETE.items():
        found = installed_version(package)
        if found is None:
            return f'{package} is not installed'
        if broken is not None and found >= Version(broken):
            return f'{package} {found} is newer than MMagic 1.2.0 can use'
    return None


def _lean_editors() -> ModuleType:
    """Return an empty replacement of the package `mmagic.models.editors`, with its real path."""
    folder = importlib.util.find_spec('mmagic').submodule_search_locations[0]  # type: ignore[union-attr,index]
    name = 'mmagic.models.editors'
    module = ModuleType(name, 'MMagic editors, loaded one by one by attentive_gan.compat.')
    module.__path__ = [f'{folder}/models/editors']
    module.__package__ = name
    module.__all__ = []  # type: ignore[attr-defined]
    return module


def _publish(editor: ModuleType) -> None:
    """Add the names of an editor to `mmagic.models` and its `editors`, as a complete import does."""
    models, editors = sys.modules['mmagic.models'], sys.modules['mmagic.models.editors']
    for name in editor.__all__:
        for package in (editors, models):
            setattr(package, name, getattr(editor, name))
    editors.__all__ += editor.__all__  # type: ignore[attr-defined]
    models.editors = editors  # type: ignore[attr-defined]


def apply() -> tuple[bool, str]:
    """Import MMagic without the parts that cannot be imported on this machine.

    Returns:
        Whether parts were left out, and why.
    """
    if 'mmagic.models.editors' in sys.modules:
        return False, 'MMagic was imported before attentive_gan'
    reason = reason_for_lean_import()
    if reason is None:
        return False, 'MMagic is completely installed'
    absent = missing_packages(OPTIONAL_PACKAGES)
    sys.modules['mmagic.models.editors'] = _lean_editors()
    with placeholders(absent), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for part in _PARTS:
            importlib.import_module(part)
        for editor in EDITORS:
            _publish(importlib.import_module(f'mmagic.models.editors.{editor}'))
    return True, f'{reason}; {len(EDITORS)} editors loaded, {len(absent)} optional packages absent'
