"""Raindrop removal with the Attentive GAN (Qian et al., CVPR 2018) as a plugin for MMagic.

Importing this package prepares the host toolbox (see `attentive_gan.host`) and registers all networks,
losses, data sets, transforms, metrics and hooks under their names; nothing else happens.
"""

from __future__ import annotations

from . import host

host.prepare()

from . import datasets, editors, engine, losses, metrics, networks  # noqa: E402

__version__ = '0.1.0'

__all__ = ['__version__', 'datasets', 'editors', 'engine', 'host', 'losses', 'metrics', 'networks']


def __getattr__(name: str) -> object:
    """Load what restores pictures when it is first asked for: `restore` and `Restorer`."""
    if name == 'Restorer':
        from .inference import Restorer

        return Restorer
    if name == 'restore':
        from .restoration import restore

        return restore
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
