"""Raindrop removal with the Attentive GAN (Qian et al., CVPR 2018) as a plugin for MMagic.

Importing this package prepares the host toolbox (see `attentive_gan.host`) and registers all networks,
losses, data sets, transforms, metrics and hooks under their names; nothing else happens. Where the
environment variable ATTENTIVE_GAN_LIGHT is 1 it does neither, so that programs which only restore start
in half the time; what they need is registered when a config asks for it.
"""

from __future__ import annotations

import os

from . import host, registration

if os.environ.get('ATTENTIVE_GAN_LIGHT') == '1':
    host.check_requirements()
else:
    registration.register_all()

__version__ = '0.1.0'

__all__ = ['__version__', 'host', 'registration']


def __getattr__(name: str) -> object:
    """Load what restores images when it is first asked for: `restore` and `Restorer`."""
    if name == 'Restorer':
        from .inference import Restorer

        return Restorer
    if name == 'restore':
        from .restoration import restore

        return restore
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
