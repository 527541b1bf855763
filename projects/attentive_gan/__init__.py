"""Raindrop removal with the Attentive GAN (Qian et al., CVPR 2018) as a plugin for MMagic.

Importing this package loads neither torch nor MMagic. Configs register networks, losses, data sets,
transforms, metrics and hooks by `custom_imports = dict(imports=['attentive_gan.registration'])`.

Example:
    >>> import attentive_gan
    >>> sorted(attentive_gan.__all__)
    ['ImageRestorer', 'RaindropDetector', 'VideoRestorer', '__version__', 'restore', 'test', 'train']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .apis.restore import restore
    from .apis.test import test
    from .apis.train import train
    from .inference.image_restorer import ImageRestorer
    from .restoration.detection.detector import RaindropDetector
    from .restoration.video.video_restorer import VideoRestorer

__version__ = '0.1.0'

__all__ = [
    'ImageRestorer',
    'RaindropDetector',
    'VideoRestorer',
    '__version__',
    'restore',
    'test',
    'train',
]

#: Public names and the modules that define them, loaded when a name is first used.
_DEFINED_IN = {
    'ImageRestorer': '.inference.image_restorer',
    'RaindropDetector': '.restoration.detection.detector',
    'VideoRestorer': '.restoration.video.video_restorer',
    'restore': '.apis.restore',
    'test': '.apis.test',
    'train': '.apis.train',
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name in _DEFINED_IN:
        return getattr(importlib.import_module(_DEFINED_IN[name], __name__), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
